package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.losses.DistributionLosses;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.objective.CoreTuning.Options;
import io.github.panagrad.nn.objective.HardPairMixer.MixLabels;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objectives.Labelled;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CoreTuningTest {
    private static final Options PLAIN = Options.DEFAULT;
    private static final int[] LABELS = {0, 0, 1, 1, 2, 0};

    private static CoreTuning attach(BertClassifier model, Options options) {
        return CoreTuning.attach(model, options, 8, 2);
    }

    @Test
    void everyParameterLearns() {
        for (Options options :
                List.of(
                        PLAIN.eta(1),
                        PLAIN.eta(1).detachOriginals(true),
                        PLAIN.eta(1).mixer(new HardPairMixer(0.4, MixLabels.EXACT)))) {
            var model = Encoders.classifier();
            CoreTuning objective = attach(model, options);
            LossTerm term = objective.loss(Encoders.batch(LABELS), Encoders.step(1, 10));

            assertThat(term.count()).isEqualTo(6);
            assertThat(term.report()).containsKeys("ce", "contrast");
            Encoders.assertAllLearn(model, term.sum().backward());
        }
    }

    @Test
    void hasTheGradientOfItsValue() {
        for (boolean focal : new boolean[] {false, true}) {
            var model = Encoders.classifier();
            var options = PLAIN.eta(0.7).contrast(new SupConOptions(0.3, focal, false, true));
            CoreTuning objective = attach(model, options);
            model.to(DType.F64);
            Encoders.assertGradients(
                    model,
                    () ->
                            objective
                                    .loss(Encoders.batch(LABELS), Encoders.step(1, 10))
                                    .sum()
                                    .div(6));
        }
    }

    /// What is not mixed is a constant: only mixtures reach the encoder.
    @Test
    void detachedOriginalsReachTheEncoderThroughMixturesOnly() {
        var plain = Encoders.classifier();
        var detached = Encoders.classifier();
        Labelled batch = Encoders.batch(LABELS);
        LossTerm a = attach(plain, PLAIN).loss(batch, Encoders.step(1, 10));
        LossTerm b =
                attach(detached, PLAIN.detachOriginals(true)).loss(batch, Encoders.step(1, 10));
        assertThat(b.sum().item()).isEqualTo(a.sum().item());
        // A single row is mixed with nothing but itself, as the partner of its own semi-hard
        // negative.
        Labelled one = Encoders.batch(2);
        double whole = norm(PLAIN.eta(0), one);
        double part = norm(PLAIN.eta(0).detachOriginals(true), one);
        assertThat(part).isCloseTo(whole / 2, offset(1e-5 * whole));
    }

    /// The size of the gradient of the encoder's embeddings.
    private static double norm(Options options, Labelled batch) {
        var model = Encoders.classifier();
        Parameter table = model.parameters().get("bert.embeddings.word_embeddings.weight");
        LossTerm term = attach(model, options).loss(batch, Encoders.step(1, 10));
        return term.sum().backward().get(table).norm().item();
    }

    @Test
    void withoutContrastIsTheCrossEntropyOfTheMixture() {
        var model = Encoders.classifier();
        Labelled batch = Encoders.batch(LABELS);
        var term = attach(model, PLAIN.eta(0)).loss(batch, Encoders.step(1, 10));

        Context context = Encoders.step(1, 10).context().branch();
        Tensor features = model.features(batch.input(), context);
        Mixture mixture = HardPairMixer.DEFAULT.mix(features, LABELS, context.rng());
        Tensor logits = model.scores(mixture.features(features), context);
        double expected =
                DistributionLosses.softTargetCrossEntropy(logits, mixture.softLabels(logits, 3))
                        .mean()
                        .item();
        assertThat(term.sum().item() / term.count()).isCloseTo(expected, offset(1e-6));
        assertThat(term.report()).doesNotContainKey("contrast");
    }

    @Test
    void aBatchOfOneRowIsClassifiedOnly() {
        var model = Encoders.classifier();
        var term = attach(model, PLAIN).loss(Encoders.batch(2), Encoders.step(1, 10));

        assertThat(term.sum().item()).isFinite();
        assertThat(term.report()).doesNotContainKey("contrast");
    }

    @Test
    void theLossFallsAndFilesHaveNoProjector() {
        var model = Encoders.classifier();
        CoreTuning objective = attach(model, PLAIN);
        var losses = new ArrayList<Double>();
        Trainer.of(model, AdamW.of(model.trainable()).lr(5e-3), objective)
                .steps(40)
                .onStep(m -> losses.add(m.report().get("ce")))
                .run(epoch -> List.of(Encoders.batch(LABELS)));

        assertThat(losses.getLast()).isLessThan(0.7 * losses.getFirst());
        assertThat(model.stateDict().keySet()).noneMatch(name -> name.contains("projector"));
        assertThat(objective.isAccumulationInvariant()).isFalse();
    }

    @Test
    void trainsOnVectorKernels() {
        var model =
                new LayerPooledClassifier(
                        Encoders.encoder(),
                        List.of("a", "b", "c"),
                        LayerPooledClassifier.Settings.DEFAULT,
                        1);
        CoreTuning objective = CoreTuning.attach(model, PLAIN, 8, 2);
        Backends.clearLog();
        Trainer.of(model, AdamW.of(model.trainable()), objective)
                .run(epoch -> List.of(Encoders.batch(LABELS)));

        assertThat(Backends.explain().lines().filter(line -> line.startsWith("cpu ")))
                .isNotEmpty()
                .noneMatch(line -> line.contains("reference"));
    }

    @Test
    void refusesWhatItCannotCompare() {
        var model = Encoders.classifier();
        CoreTuning objective = attach(model, PLAIN);
        assertThatThrownBy(() -> objective.loss(Encoders.batch(0, -100), Encoders.step(1, 10)))
                .hasMessageContaining("not each has one");
        assertThatThrownBy(() -> objective.loss(Encoders.batch(0, 3), Encoders.step(1, 10)))
                .hasMessageContaining("label");
        assertThatThrownBy(() -> PLAIN.eta(-1)).hasMessageContaining("eta");
    }
}
