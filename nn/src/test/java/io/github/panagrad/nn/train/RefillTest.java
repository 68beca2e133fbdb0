package io.github.panagrad.nn.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.DirectCoverage;
import io.github.panagrad.nn.optim.AdamW;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RefillTest {
    private static List<Example> examples(int count) {
        var examples = new ArrayList<Example>();
        for (int i = 0; i < count; i++) {
            examples.add(Example.of(TinyModels.ids(i, 1, 4 + i % 3).toInts()));
        }
        return examples;
    }

    private static List<Integer> numbers(Refill source, int epoch) {
        var numbers = new ArrayList<Integer>();
        for (Batch batch : source.epoch(epoch)) {
            batch.sequences().forEach(s -> numbers.add(s.example()));
        }
        return numbers;
    }

    @Test
    void passesOverWhatHasLittleWeightAndFillsUp() {
        var source = new Refill(examples(10), 0.05, 3, b -> b.size(4).shuffled(2));
        assertThat(numbers(source, 0)).hasSize(10);
        for (int spent : new int[] {0, 3, 7, 9}) {
            source.know(spent, 0.01);
        }
        assertThat(source.live()).isEqualTo(6);
        assertThat(numbers(source, 1)).containsExactlyInAnyOrder(1, 2, 4, 5, 6, 8);
        assertThat(source.epoch(1).iterator().next().size()).isEqualTo(4);
        source.know(1, 0.01);
        assertThat(numbers(source, 1)).as("an epoch stays as it began").contains(1);
        assertThat(numbers(source, 3)).hasSize(10);
        source.know(3, 0.5);
        assertThat(numbers(source, 2)).contains(3).doesNotContain(1);
    }

    @Test
    void sequencesKeepTheirTokens() {
        var examples = examples(5);
        var source = new Refill(examples, 0.05, 0, b -> b.size(2));
        source.know(0, 0);
        source.know(2, 0);
        for (Batch batch : source.epoch(4)) {
            for (Batch.Sequence s : batch.sequences()) {
                int from = s.row() * batch.length() + s.start();
                assertThat(Arrays.copyOfRange(batch.ids(), from, from + s.length()))
                        .isEqualTo(examples.get(s.example()).inputIds());
            }
        }
    }

    @Test
    void allComeAgainWhenNoneIsLeft() {
        var source = new Refill(examples(3), 0.5, 0, b -> b.size(2));
        for (int i = 0; i < 3; i++) {
            source.know(i, 0.1);
        }
        assertThat(numbers(source, 1)).containsExactly(0, 1, 2);
        assertThatThrownBy(() -> new Refill(examples(3), -1, 0, b -> b))
                .hasMessageContaining("threshold -1.0");
    }

    @Test
    void trainsUntilCoverageIsReachedOnEveryExample() {
        var model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        var source = new Refill(examples(6), 0.05, 0, b -> b.size(3).shuffled(1));
        var objective = DirectCoverage.of(model, 8).onWeight((s, w) -> source.know(s.example(), w));
        Trainer.of(model, AdamW.of(model.trainable()).lr(1e-2), objective).steps(150).run(source);
        assertThat(source.live()).isLessThan(6);
    }

    /// Twelve steps of direct coverage over six examples, stopped after some of them if asked.
    private static List<float[]> trained(Path state, long stopAfter) {
        var model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        var trainer = trainer(model, state);
        if (stopAfter > 0) {
            long[] step = new long[1];
            trainer.value().onStep(m -> step[0] = m.step()).stopWhen(() -> step[0] == stopAfter);
            trainer.value().run(trainer.source());
            model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 6);
            trainer = trainer(model, state);
            trainer.value().resume(state);
        }
        trainer.value().run(trainer.source());
        return model.trainable().stream().map(Parameter::toFloats).toList();
    }

    private record Run(Trainer<Batch> value, Refill source) {}

    private static Run trainer(CausalLM model, Path state) {
        var source = new Refill(examples(6), 0.6, 0, b -> b.size(2).shuffled(1));
        var objective =
                DirectCoverage.of(model, 64)
                        .onWeight((s, w) -> source.know(s.example(), w))
                        .remembering("refill", source);
        var trainer =
                Trainer.of(model, AdamW.of(model.trainable()).lr(2e-2), objective)
                        .steps(12)
                        .saveState(state, 0);
        return new Run(trainer, source);
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 8})
    void aResumedRunGivesTheBitsOfAnUnbrokenOne(long stop, @TempDir Path folder) {
        var whole = trained(folder.resolve("whole"), 0);
        var broken = trained(folder.resolve("broken"), stop);
        for (int i = 0; i < whole.size(); i++) {
            assertThat(broken.get(i)).isEqualTo(whole.get(i));
        }
    }

    @Test
    void stateOfOtherDataIsRefused() {
        var source = new Refill(examples(6), 0.5, 0, b -> b.size(2));
        assertThatThrownBy(() -> source.load(new Refill(examples(5), 0.5, 0, b -> b).state()))
                .hasMessageContaining("6 numbers");
    }
}
