package io.github.panagrad.nn.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.optim.Sgd;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerTest {
    private static final int[] LENGTHS = {5, 9, 3, 8, 6, 7, 4, 9, 5, 6, 8};

    private static CausalLM model() {
        return CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
    }

    private static List<Example> examples() {
        var examples = new ArrayList<Example>();
        for (int i = 0; i < LENGTHS.length; i++) {
            examples.add(Example.of(TinyModels.ids(i, 1, LENGTHS[i]).toInts()));
        }
        return examples;
    }

    private static BatchSource<Batch> batches(int size) {
        return BatchSource.of(Batches.of(examples()).size(size).shuffled(3));
    }

    private static float[] weights(Module model) {
        int n = (int) model.parameterCount();
        float[] all = new float[n];
        int at = 0;
        for (Parameter p : model.parameters().values()) {
            float[] values = p.toFloats();
            System.arraycopy(values, 0, all, at, values.length);
            at += values.length;
        }
        return all;
    }

    private static Optimizer adam(Module model) {
        return AdamW.of(model.trainable()).lr(1e-2);
    }

    private static Trainer<Batch> trainer(CausalLM model) {
        return Trainer.of(model, adam(model), Objectives.nextToken(model));
    }

    @Test
    void theLossFalls() {
        var model = model();
        var losses = new ArrayList<Double>();
        var report = trainer(model).epochs(20).onStep(m -> losses.add(m.loss())).run(batches(4));
        assertThat(report.steps()).isEqualTo(60);
        assertThat(report.stopped()).isFalse();
        assertThat(report.lastLoss()).isEqualTo(losses.getLast());
        assertThat(losses.getLast()).isLessThan(0.5 * losses.getFirst());
        var evaluation = Evaluator.of(model).run(Batches.of(examples()).size(3));
        assertThat(evaluation.loss()).isLessThan(losses.getFirst());
        assertThat(evaluation.tokens()).isEqualTo(Arrays.stream(LENGTHS).map(n -> n - 1).sum());
        assertThat(report.tokens()).isEqualTo(20 * evaluation.tokens());
        assertThat(evaluation.perplexity()).isCloseTo(Math.exp(evaluation.loss()), within(1e-9));
    }

    @Test
    void manySmallBatchesAreOneLargeOne() {
        var whole = model();
        var parts = model();
        trainer(whole).epochs(2).maxGradNorm(1).run(batches(4));
        trainer(parts).epochs(2).maxGradNorm(1).accumulation(4).run(batches(1));
        float[] expected = weights(whole);
        float[] actual = weights(parts);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], within(2e-4f));
        }
    }

    @Test
    void packedRowsTrainLikePaddedOnes() {
        var padded = model();
        var packed = model();
        var losses = new ArrayList<Double>();
        trainer(padded)
                .steps(1)
                .onStep(m -> losses.add(m.loss()))
                .run(BatchSource.of(Batches.of(examples()).size(11)));
        trainer(packed)
                .steps(1)
                .onStep(m -> losses.add(m.loss()))
                .run(BatchSource.of(Batches.of(examples()).size(11).packed(20)));
        assertThat(losses.get(1)).isCloseTo(losses.get(0), within(1e-5));
    }

    /// Runs of an encoder with dropout, whose random numbers a resumption has to meet again.
    private static Trainer<Objectives.Labelled> dropping(BertClassifier model) {
        return Trainer.of(model, adam(model), Objectives.classification(model))
                .seed(11)
                .accumulation(2)
                .maxGradNorm(1)
                .schedule(Schedule.cosine().warmup(2))
                .steps(9);
    }

    private static BertClassifier classifier() {
        var encoder = BertModel.create(TinyModels.config(TinyModels.encoder()), 5);
        return BertClassifier.ofRows(encoder, List.of("a", "b"), 3);
    }

    private static List<Objectives.Labelled> labelled(int epoch) {
        var rows = new ArrayList<Objectives.Labelled>();
        for (int i = 0; i < 5; i++) {
            int[] a = TinyModels.ids(10L * epoch + i, 1, 4).toInts();
            int[] b = TinyModels.ids(10L * epoch + i + 50, 1, 6).toInts();
            rows.add(
                    new Objectives.Labelled(
                            BertInput.of(List.of(a, b), 0),
                            Ops.indices(new int[] {a[0] % 2, b[0] % 2}, 2)));
        }
        return rows;
    }

    @Test
    void aResumedRunGivesTheBitsOfAnUnbrokenOne(@TempDir Path folder) {
        var whole = classifier();
        var expected = new ArrayList<Double>();
        dropping(whole).onStep(m -> expected.add(m.loss())).run(TrainerTest::labelled);
        assertThat(expected).hasSize(9).doesNotHaveDuplicates();

        // Step 3 ends an epoch: of five batches, its last step has one.
        for (int stopAt : new int[] {1, 3, 5}) {
            Path state = folder.resolve("state" + stopAt + ".safetensors");
            var losses = new ArrayList<Double>();
            var first =
                    dropping(classifier())
                            .saveState(state, 0)
                            .onStep(m -> losses.add(m.loss()))
                            .stopWhen(() -> losses.size() == stopAt)
                            .run(TrainerTest::labelled);
            assertThat(first.stopped()).isTrue();
            assertThat(first.steps()).isEqualTo(stopAt);
            var second = classifier();
            var report =
                    dropping(second)
                            .seed(99)
                            .onStep(m -> losses.add(m.loss()))
                            .resume(state)
                            .run(TrainerTest::labelled);
            assertThat(losses).isEqualTo(expected);
            assertThat(weights(second)).isEqualTo(weights(whole));
            assertThat(report.steps()).isEqualTo(9);
        }
    }

    @Test
    void statesOfOtherModelsAreRefused(@TempDir Path folder) {
        Path state = folder.resolve("state.safetensors");
        trainer(model()).steps(1).saveState(state, 0).run(batches(4));
        assertThatThrownBy(() -> dropping(classifier()).resume(state))
                .hasMessageContaining("does not fit parameter bert.embeddings.word_embeddings");
        Path none = folder.resolve("none.safetensors");
        assertThatThrownBy(() -> trainer(model()).resume(none))
                .hasMessageContaining("no such file");
    }

    @Test
    void seedsDecideAboutDropout() {
        var a = new ArrayList<Double>();
        var b = new ArrayList<Double>();
        var c = new ArrayList<Double>();
        dropping(classifier()).onStep(m -> a.add(m.loss())).run(TrainerTest::labelled);
        dropping(classifier()).onStep(m -> b.add(m.loss())).run(TrainerTest::labelled);
        dropping(classifier()).seed(12).onStep(m -> c.add(m.loss())).run(TrainerTest::labelled);
        assertThat(b).isEqualTo(a);
        assertThat(c).isNotEqualTo(a);
    }

    @Test
    void anyNumberOfThreadsGivesTheSameBits() {
        int before = Parallel.threads();
        var runs = new ArrayList<float[]>();
        try {
            for (int threads : new int[] {1, 2, 5}) {
                Parallel.setThreads(threads);
                var model =
                        CausalLM.create(
                                TinyModels.config(
                                        TinyModels.decoder("llama")
                                                .with("hidden_size", 64)
                                                .with("intermediate_size", 128)),
                                5);
                trainer(model).epochs(2).maxGradNorm(1).run(batches(4));
                runs.add(weights(model));
            }
        } finally {
            Parallel.setThreads(before);
        }
        assertThat(runs.get(1)).isEqualTo(runs.get(0));
        assertThat(runs.get(2)).isEqualTo(runs.get(0));
    }

    @Test
    void metricsTellWhatHappened() {
        var model = model();
        var seen = new ArrayList<StepMetrics>();
        var optimizer = Sgd.of(model.trainable()).lr(0.5);
        float[] before = weights(model);
        Trainer.of(model, optimizer, Objectives.nextToken(model))
                .steps(4)
                .maxGradNorm(0.01)
                .schedule(Schedule.linear())
                .onStep(seen::add)
                .every(2, step -> assertThat(model.isTraining()).isFalse())
                .run(batches(11));
        assertThat(seen).extracting(StepMetrics::step).containsExactly(1L, 2L, 3L, 4L);
        assertThat(seen).extracting(StepMetrics::epoch).containsExactly(0, 1, 2, 3);
        assertThat(seen).extracting(StepMetrics::lr).containsExactly(0.5, 0.375, 0.25, 0.125);
        assertThat(seen).allMatch(m -> m.tokens() == 59 && m.tokensPerSecond() > 0);
        assertThat(seen).allMatch(m -> m.gradNorm() > 0.01);
        assertThat(model.isTraining()).isFalse();
        // Clipped steps of plain descent: their lengths are rate times limit.
        float[] after = weights(model);
        double moved = 0;
        for (int i = 0; i < after.length; i++) {
            moved += Math.pow(after[i] - before[i], 2);
        }
        assertThat(Math.sqrt(moved)).isLessThanOrEqualTo(0.01 * 1.25 + 1e-6).isPositive();
    }

    @Test
    void gradientNormIsThatOfTheMeanLoss() {
        var model = model();
        var batch = Batches.of(examples()).size(11).iterator().next();
        double expected = model.loss(batch).backward().norm();
        var seen = new ArrayList<StepMetrics>();
        trainer(model)
                .steps(1)
                .onStep(seen::add)
                .run(BatchSource.of(Batches.of(examples()).size(11)));
        assertThat(seen.getFirst().gradNorm()).isCloseTo(expected, within(1e-5 * expected));
    }

    @Test
    void aLossThatIsNoNumberStopsBeforeItDoesHarm(@TempDir Path folder) {
        Path state = folder.resolve("state.safetensors");
        var model = model();
        Objective<Batch> good = Objectives.nextToken(model);
        Objective<Batch> breaking =
                (batch, step) -> {
                    LossTerm term = good.loss(batch, step);
                    Tensor sum = step.number() == 3 ? term.sum().mul(Double.NaN) : term.sum();
                    return LossTerm.of(sum, term.tokens());
                };
        var kept = new ArrayList<float[]>();
        var trainer =
                Trainer.of(model, adam(model), breaking)
                        .steps(9)
                        .saveState(state, 1)
                        .onStep(m -> kept.add(weights(model)));
        var error = catchThrowableOfType(TrainingException.class, () -> trainer.run(batches(4)));
        assertThat(error)
                .hasMessage(
                        "step 3: the loss is not finite; got NaN; the parameters are those after"
                                + " step 2; saved is the state after step 2; try a lower learning"
                                + " rate or clipping");
        assertThat(error.step()).isEqualTo(3);
        assertThat(weights(model)).isEqualTo(kept.get(1));
        assertThat(model.isTraining()).isFalse();
        var again = model();
        var report = trainer(again).steps(2).resume(state).run(batches(4));
        assertThat(report.steps()).isEqualTo(2);
        assertThat(weights(again)).isEqualTo(kept.get(1));
    }

    @Test
    void aGradientThatIsNoNumberIsPinnedToItsParameter() {
        var model = model();
        Objective<Batch> good = Objectives.nextToken(model);
        Parameter norm = model.parameters().get("model.norm.weight");
        Objective<Batch> breaking =
                (batch, step) -> {
                    LossTerm term = good.loss(batch, step);
                    // Its value is 0, its derivative at 0 infinite.
                    Tensor spike = norm.sub(norm.detach()).square().sum().sqrt();
                    return LossTerm.of(term.sum().add(spike), term.tokens());
                };
        float[] before = weights(model);
        assertThatThrownBy(() -> Trainer.of(model, adam(model), breaking).run(batches(4)))
                .isInstanceOf(TrainingException.class)
                .hasMessageContaining(
                        "step 1: the gradient is not finite at parameter model.norm.weight");
        assertThat(weights(model)).isEqualTo(before);
    }

    @Test
    void nothingToLearnIsAnError() {
        var model = model();
        var ignored = new Example(new int[] {1, 2, 3}, new int[] {-100, -100, -100}, 0);
        var source = BatchSource.of(Batches.of(List.of(ignored)));
        assertThatThrownBy(() -> trainer(model).run(source))
                .isInstanceOf(TrainingException.class)
                .hasMessageContaining("step 1: all labels are ignored");
        assertThatThrownBy(() -> Evaluator.of(model).run(Batches.of(List.of(ignored))))
                .hasMessageContaining("evaluate: no token is predicted");
        assertThatThrownBy(() -> trainer(model).run(epoch -> List.of()))
                .hasMessageContaining("trainer: no batches; got epoch 0");
    }

    @Test
    void parametersThatDoNotLearnAreReported() {
        var model = model();
        var unused = new Parameter("unused", Ops.ones(3));
        var all = new ArrayList<>(model.trainable());
        all.add(unused);
        var warnings = new ArrayList<String>();
        Consumer<String> listener = warnings::add;
        Trainer.of(model, AdamW.of(all), Objectives.nextToken(model))
                .onWarning(listener)
                .epochs(2)
                .run(batches(4));
        assertThat(warnings).containsExactly("parameter unused: no gradient in the first 3 steps");
    }

    @Test
    void objectivesThatCompareRowsAreAnnouncedUnderAccumulation() {
        var model = model();
        Objective<Batch> plain = Objectives.nextToken(model);
        Objective<Batch> comparing =
                new Objective<>() {
                    @Override
                    public LossTerm loss(Batch batch, Step step) {
                        return plain.loss(batch, step);
                    }

                    @Override
                    public boolean isAccumulationInvariant() {
                        return false;
                    }
                };
        var warnings = new ArrayList<String>();
        Trainer.of(model, adam(model), comparing)
                .accumulation(2)
                .onWarning(warnings::add)
                .run(batches(4));
        assertThat(warnings)
                .containsExactly(
                        "the objective compares the rows of a batch: 2 small batches are not one"
                                + " large one");
    }

    @Test
    void transformsSeeTheGradients() {
        var model = model();
        float[] before = weights(model);
        trainer(model)
                .transform((grads, count, step) -> grads.times(0))
                .onWarning(w -> {})
                .steps(1)
                .run(batches(4));
        float[] after = weights(model);
        // What is left of AdamW without a gradient is its weight decay.
        for (int i = 0; i < after.length; i++) {
            assertThat(after[i]).isCloseTo(before[i] * (1 - 1e-2f * 1e-2f), within(1e-6f));
        }
    }

    @Test
    void memoryStaysFlat() {
        var model = model();
        var bytes = new ArrayList<Long>();
        // How many threads hold a scratch array at a time is chance; what one of them holds is not.
        int before = Parallel.threads();
        Parallel.setThreads(1);
        try {
            trainer(model)
                    .accumulation(2)
                    .steps(100)
                    .onStep(m -> bytes.add(Pool.floats().freshBytes()))
                    .run(BatchSource.of(Batches.of(examples()).size(4).packed(12)));
        } finally {
            Parallel.setThreads(before);
        }
        assertThat(bytes.getLast()).isEqualTo(bytes.get(20));
    }

    @Test
    void settingsAreChecked() {
        assertThatThrownBy(() -> trainer(model()).steps(0))
                .hasMessage("trainer: steps out of range; got 0; expected at least 1");
        assertThatThrownBy(() -> trainer(model()).accumulation(0))
                .hasMessageContaining("accumulation");
        assertThatThrownBy(() -> trainer(model()).maxGradNorm(-1))
                .hasMessageContaining("maxGradNorm");
    }
}
