package io.github.panagrad.nn.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.ParamMask;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PhasesTest {
    private static final int STEPS = 6;

    private static final class Two extends Module {
        private final Parameter a = parameter("a", Ops.randn(Rng.of(1), 5));
        private final Parameter b = parameter("b", Ops.randn(Rng.of(2), 5));
    }

    /// Two phases of six steps: all of both parameters; then, from the first values, those entries
    /// of `a` that have grown.
    private static final class Run {
        private final Two model = new Two();
        private final List<String> log = new ArrayList<>();
        private long steps;
        private long stopAfter = Long.MAX_VALUE;

        private Trainer<Integer> trainer(AdamW optimizer) {
            Objective<Integer> objective =
                    (batch, step) ->
                            LossTerm.of(
                                    model.a.sub(batch).square().sum().add(model.b.square().sum()),
                                    1);
            return Trainer.of(model, optimizer.lr(0.1), objective)
                    .steps(STEPS)
                    .onStep(m -> steps++)
                    .stopWhen(() -> steps == stopAfter);
        }

        List<TrainingReport> run(Phases phases) {
            BatchSource<Integer> data = epoch -> List.of(1, 2, 3, 4);
            RewindPoint start = RewindPoint.of(model.trainable());
            return phases.then(
                            () -> {
                                log.add("whole");
                                return trainer(AdamW.of(model.trainable()));
                            },
                            data,
                            report -> log.add("end " + report.steps()))
                    .then(
                            () -> {
                                log.add("part");
                                var grown = model.a.gt(start.values().get(model.a));
                                start.rewind();
                                var optimizer = AdamW.of(List.of(model.a));
                                optimizer.mask(model.a, ParamMask.of(grown.to(DType.F32)));
                                return trainer(optimizer);
                            },
                            data,
                            report -> log.add("end " + report.steps()))
                    .run();
        }

        float[] values() {
            return Ops.concat(0, model.a, model.b).toFloats();
        }
    }

    @Test
    void runsOneAfterTheOther() {
        var run = new Run();
        float[] before = run.values();
        List<TrainingReport> reports = run.run(Phases.inMemory());
        assertThat(run.log).containsExactly("whole", "end 6", "part", "end 6");
        assertThat(reports).extracting(TrainingReport::steps).containsExactly(6L, 6L);
        float[] after = run.values();
        int moved = 0;
        for (int i = 0; i < after.length; i++) {
            moved += after[i] == before[i] ? 0 : 1;
            assertThat(i < 5 || after[i] == before[i]).isTrue();
        }
        assertThat(moved).isBetween(1, 5);
    }

    @Test
    void goesOnWhereverItStopped(@TempDir Path folder) {
        var straight = new Run();
        straight.run(Phases.inMemory());
        for (int stop = 1; stop <= 2 * STEPS; stop++) {
            Path at = folder.resolve("stop" + stop);
            at.toFile().mkdir();
            var first = new Run();
            first.stopAfter = stop;
            TrainingReport last = first.run(Phases.saved(at, 0)).getLast();
            assertThat(last.stopped()).isTrue();
            var second = new Run();
            List<TrainingReport> reports = second.run(Phases.resumed(at, 0));
            assertThat(reports).extracting(TrainingReport::steps).containsExactly(6L, 6L);
            assertThat(second.steps).isEqualTo(2L * STEPS - stop);
            assertThat(second.values()).as("stopped after " + stop).isEqualTo(straight.values());
        }
    }

    @Test
    void resumesWithStatesSavedOnTheWay(@TempDir Path folder) {
        var straight = new Run();
        straight.run(Phases.saved(folder, 3));
        // The state of a phase's end may have been written by the last of its regular savings.
        var again = new Run();
        again.run(Phases.resumed(folder, 3));
        assertThat(again.steps).isZero();
        assertThat(again.values()).isEqualTo(straight.values());
    }

    @Test
    void filesOfAnEarlierListAreNotTakenForThoseOfThisOne(@TempDir Path folder) {
        new Run().run(Phases.saved(folder, 0));
        assertThat(folder.resolve("phase-2.safetensors")).exists();
        var other = new Run();
        other.stopAfter = 2;
        other.run(Phases.saved(folder, 0));
        assertThat(Files.exists(folder.resolve("phase-2.safetensors"))).isFalse();
    }

    @Test
    void saysWhereThereIsNothingToGoOnFrom(@TempDir Path folder) {
        assertThatThrownBy(() -> new Run().run(Phases.resumed(folder, 0)))
                .hasMessageContaining("phases: nothing was saved to go on from")
                .hasMessageContaining("begin without resuming");
    }
}
