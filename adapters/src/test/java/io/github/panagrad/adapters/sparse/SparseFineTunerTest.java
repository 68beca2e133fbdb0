package io.github.panagrad.adapters.sparse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.TinyModel;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.optim.ParamMask;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Phases;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparseFineTunerTest {
    private static final BatchSource<Integer> DATA = epoch -> List.of(11, 12, 13);

    private static Objective<Integer> objective(CausalLM model) {
        return (batch, step) ->
                LossTerm.of(
                        Losses.linearCrossEntropy(
                                model.hidden(TinyModel.ids(batch)),
                                model.head(),
                                TinyModel.ids(batch + 20)),
                        1);
    }

    private static SparseFineTuner.TrainerMaker<Integer> maker(CausalLM model) {
        return (parameters, objective) ->
                Trainer.of(model, AdamW.of(parameters).lr(0.01).weightDecay(0.1), objective)
                        .steps(4)
                        .seed(1);
    }

    private static SparseFineTuner tuner(CausalLM model, LotteryTicket ticket) {
        return SparseFineTuner.of(model, model.selection(), ticket);
    }

    private static Map<String, float[]> values(CausalLM model) {
        var values = new HashMap<String, float[]>();
        model.stateDict().forEach((path, t) -> values.put(path, t.toFloats()));
        return values;
    }

    private static long changed(CausalLM model, Map<String, float[]> before) {
        long changed = 0;
        for (var entry : model.stateDict().entrySet()) {
            float[] was = before.get(entry.getKey());
            float[] is = entry.getValue().toFloats();
            for (int i = 0; i < is.length; i++) {
                changed += Float.floatToIntBits(is[i]) == Float.floatToIntBits(was[i]) ? 0 : 1;
            }
        }
        return changed;
    }

    @Test
    void exactlyKEntriesMoveUnderWeightDecay() {
        for (long k : new long[] {1, 100, 1234}) {
            CausalLM model = TinyModel.create();
            Map<String, float[]> before = values(model);
            Delta delta =
                    tuner(model, LotteryTicket.entries(k))
                            .train(objective(model), DATA, maker(model));
            assertThat(delta.stored()).isEqualTo(k);
            assertThat(changed(model, before)).isEqualTo(k);
        }
    }

    @Test
    void densityOneIsPlainFineTuning() {
        CausalLM plain = TinyModel.create();
        maker(plain).make(plain.trainable(), objective(plain)).run(DATA);
        CausalLM sparse = TinyModel.create();
        var tuned = new HashMap<String, float[]>();
        var tuner = tuner(sparse, LotteryTicket.density(1));
        tuner.addTo(Phases.inMemory(), objective(sparse), DATA, maker(sparse), maker(sparse)).run();
        tuned.putAll(values(sparse));
        values(plain).forEach((path, t) -> assertThat(tuned.get(path)).isEqualTo(t));
        // As base + change, which rounds once more.
        tuner.finish();
        values(plain)
                .forEach((path, t) ->
                        assertThat(values(sparse).get(path)).containsExactly(t, within(2e-7f)));
    }

    @Test
    void theLargestChangesOfAllParametersTogetherAreChosen() {
        CausalLM full = TinyModel.create();
        Map<String, float[]> before = values(full);
        maker(full).make(full.trainable(), objective(full)).run(DATA);
        var changes = new ArrayList<Float>();
        values(full)
                .forEach((path, is) -> {
                    for (int i = 0; i < is.length; i++) {
                        changes.add(Math.abs(is[i] - before.get(path)[i]));
                    }
                });
        changes.sort((a, b) -> Float.compare(b, a));
        float threshold = changes.get(199);

        CausalLM model = TinyModel.create();
        var tuner = tuner(model, LotteryTicket.entries(200));
        tuner.train(objective(model), DATA, maker(model));
        Map<String, float[]> tuned = values(full);
        int seen = 0;
        for (var mask : tuner.masks().entrySet()) {
            String name = mask.getKey().name();
            for (int entry : mask.getValue().entries()) {
                assertThat(Math.abs(tuned.get(name)[entry] - before.get(name)[entry]))
                        .isGreaterThanOrEqualTo(threshold);
                seen++;
            }
        }
        assertThat(seen).isEqualTo(200);
    }

    @Test
    void stateIsKeptForChosenEntriesAloneAndNothingElseIsWritten() {
        CausalLM model = TinyModel.create();
        long k = 321;
        var optimizers = new ArrayList<Optimizer>();
        var tuner = tuner(model, LotteryTicket.entries(k));
        SparseFineTuner.TrainerMaker<Integer> noting =
                (parameters, objective) -> {
                    var trainer = maker(model).make(parameters, objective);
                    optimizers.add(trainer.optimizer());
                    return trainer;
                };
        tuner.train(objective(model), DATA, noting);
        Optimizer sparse = optimizers.getLast();
        assertThat(optimizers.getFirst().stateSize()).isEqualTo(2 * model.parameterCount());
        assertThat(sparse.stateSize()).isEqualTo(2 * k);
        Map<String, Tensor> state = sparse.state();
        long moments = 0;
        for (Parameter p : model.selection().parameters()) {
            int[] live = tuner.masks().get(p).entries();
            Tensor first = state.get(p.name() + "/exp_avg");
            assertThat(first == null ? 0 : first.size()).isEqualTo(live.length);
            assertThat(state.get(p.name() + "/entries").toInts()).isEqualTo(live);
            moments += live.length;
        }
        assertThat(moments).isEqualTo(k);
    }

    @Test
    void whatIsNotMaskableTrainsInFullAndIsNoPartOfTheChange() {
        CausalLM model = TinyModel.create();
        Map<String, float[]> before = values(model);
        ParamSelection body = model.selection().where(e -> e.category() != ParamCategory.HEAD);
        Delta delta =
                SparseFineTuner.of(model, body, LotteryTicket.entries(50))
                        .train(objective(model), DATA, maker(model));
        assertThat(delta.changes()).doesNotContainKey("lm_head.weight");
        assertThat(delta.stored()).isEqualTo(50);
        long head = model.parameters().get("lm_head.weight").size();
        assertThat(changed(model, before)).isEqualTo(50 + head);
    }

    @Test
    void furtherIterationsKeepWhatIsChosenAndAddToIt() {
        CausalLM once = TinyModel.create();
        var first = tuner(once, LotteryTicket.entries(33));
        first.train(objective(once), DATA, maker(once));
        CausalLM thrice = TinyModel.create();
        Map<String, float[]> before = values(thrice);
        var all = tuner(thrice, LotteryTicket.entries(100).iterations(3));
        Delta delta = all.train(objective(thrice), DATA, maker(thrice));
        assertThat(all.masks().values().stream().mapToInt(ParamMask::count).sum()).isEqualTo(100);
        assertThat(changed(thrice, before)).isEqualTo(100);
        assertThat(delta.stored()).isEqualTo(100);
        Map<String, ParamMask> early = new HashMap<>();
        first.masks().forEach((p, mask) -> early.put(p.name(), mask));
        all.masks()
                .forEach((p, mask) -> {
                    ParamMask mine = early.get(p.name());
                    assertThat(mask.or(mine).count()).isEqualTo(mask.count());
                });
    }

    @Test
    void thePullKeepsChangesSmall() {
        double[] far = new double[2];
        for (int arm = 0; arm < 2; arm++) {
            CausalLM model = TinyModel.create();
            Map<String, float[]> before = values(model);
            double lambda = arm * 0.05 * model.parameterCount();
            tuner(model, LotteryTicket.density(0.1).l1(lambda, lambda))
                    .train(objective(model), DATA, maker(model));
            for (var entry : values(model).entrySet()) {
                for (int i = 0; i < entry.getValue().length; i++) {
                    far[arm] += Math.abs(entry.getValue()[i] - before.get(entry.getKey())[i]);
                }
            }
        }
        assertThat(far[1]).isLessThan(0.8 * far[0]).isPositive();
    }

    @Test
    void fileAndModelAgreeBitForBit(@TempDir Path folder) {
        CausalLM model = TinyModel.create();
        Delta delta =
                tuner(model, LotteryTicket.density(0.05))
                        .train(objective(model), DATA, maker(model));
        delta.save(folder);
        CausalLM base = TinyModel.create();
        Map<String, float[]> before = values(base);
        var applied = Delta.load(folder).apply(base);
        assertThat(changed(base, values(model))).isZero();
        assertThat(TinyModel.logits(base).toFloats()).isEqualTo(TinyModel.logits(model).toFloats());
        applied.revert();
        assertThat(changed(base, before)).isZero();
    }

    /// Two tasks' changes, trained apart, are put on the base together: entries of one alone are as in its
    /// own model, entries of both add up, all others keep their bits.
    @Test
    void twoTrainedChangesComposeByAddition() {
        CausalLM first = TinyModel.create();
        CausalLM second = TinyModel.create();
        Delta one =
                tuner(first, LotteryTicket.density(0.1))
                        .train(objective(first), DATA, maker(first));
        Delta two =
                tuner(second, LotteryTicket.density(0.1))
                        .train(objective(second), epoch -> List.of(14, 15), maker(second));
        CausalLM both = TinyModel.create();
        Map<String, float[]> base = values(both);
        var applied = one.plus(two).apply(both);
        Map<String, float[]> a = values(first);
        Map<String, float[]> b = values(second);
        int[] seen = new int[4];
        values(both)
                .forEach((path, is) -> {
                    for (int i = 0; i < is.length; i++) {
                        float was = base.get(path)[i];
                        boolean byOne = a.get(path)[i] != was;
                        boolean byTwo = b.get(path)[i] != was;
                        seen[(byOne ? 1 : 0) + (byTwo ? 2 : 0)]++;
                        if (byOne && byTwo) {
                            double sum =
                                    was + (double) (a.get(path)[i] - was) + (b.get(path)[i] - was);
                            assertThat((double) is[i]).isCloseTo(sum, within(1e-6));
                        } else {
                            float wanted = byOne ? a.get(path)[i] : byTwo ? b.get(path)[i] : was;
                            assertThat(Float.floatToIntBits(is[i]))
                                    .isEqualTo(Float.floatToIntBits(wanted));
                        }
                    }
                });
        assertThat(seen).doesNotContain(0);
        float[] together = TinyModel.logits(both).toFloats();
        applied.revert();
        assertThat(changed(both, base)).isZero();
        two.plus(one).apply(both);
        assertThat(TinyModel.logits(both).toFloats()).containsExactly(together, within(1e-5f));
    }

    @Test
    void goesOnAfterAStopInEitherPhase(@TempDir Path folder) {
        CausalLM straight = TinyModel.create();
        tuner(straight, LotteryTicket.density(0.05))
                .train(objective(straight), DATA, maker(straight));
        for (long stop : new long[] {2, 4, 6}) {
            Path at = folder.resolve("stop" + stop);
            at.toFile().mkdir();
            CausalLM stopped = TinyModel.create();
            long[] steps = {0};
            SparseFineTuner.TrainerMaker<Integer> stopping =
                    (parameters, objective) ->
                            maker(stopped)
                                    .make(parameters, objective)
                                    .onStep(m -> steps[0]++)
                                    .stopWhen(() -> steps[0] == stop);
            var report =
                    tuner(stopped, LotteryTicket.density(0.05))
                            .addTo(
                                    Phases.saved(at, 0),
                                    objective(stopped),
                                    DATA,
                                    stopping,
                                    stopping)
                            .run()
                            .getLast();
            assertThat(report.stopped()).isTrue();
            CausalLM resumed = TinyModel.create();
            var tuner = tuner(resumed, LotteryTicket.density(0.05));
            tuner.addTo(
                            Phases.resumed(at, 0),
                            objective(resumed),
                            DATA,
                            maker(resumed),
                            maker(resumed))
                    .run();
            tuner.finish();
            assertThat(changed(resumed, values(straight))).as("stop after " + stop).isZero();
        }
    }

    @Test
    void badTicketsAreNamed() {
        CausalLM model = TinyModel.create();
        long all = model.parameterCount();
        assertThatThrownBy(() -> tuner(model, LotteryTicket.entries(all + 1)))
                .hasMessageContaining("more entries are to train than are maskable")
                .hasMessageContaining((all + 1) + " of " + all);
        assertThatThrownBy(() -> LotteryTicket.density(0)).hasMessageContaining("lottery ticket");
        assertThatThrownBy(() -> LotteryTicket.density(0.1).iterations(0))
                .hasMessageContaining("iterations 0");
        assertThatThrownBy(() -> LotteryTicket.density(0.1).l1(-1, 0))
                .hasMessageContaining("pull out of range");
    }
}
