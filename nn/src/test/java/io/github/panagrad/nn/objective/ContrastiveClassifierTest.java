package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.losses.ContrastiveLosses;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ContrastiveClassifierTest {
    private static final int[] LABELS = {0, 0, 1, 1, 2};
    private static final SupConOptions OPTIONS = SupConOptions.DEFAULT;

    @Test
    void withoutWeightIsPlainCrossEntropy() {
        var model = Encoders.classifier();
        var objective = ContrastiveClassifier.attach(model, 8, OPTIONS, Ramp.constant(0), 2);
        Labelled batch = Encoders.batch(LABELS);
        model.training(true); // the dropout of both is the same, too
        LossTerm plain = Objectives.classification(model).loss(batch, Encoders.step(3, 10));
        LossTerm mine = objective.loss(batch, Encoders.step(3, 10));
        Grads expected = plain.sum().backward();
        Grads grads = mine.sum().backward();

        assertThat(mine.sum().item()).isEqualTo(plain.sum().item());
        for (Parameter p : model.trainable()) {
            if (p.name().startsWith("projector")) {
                assertThat(grads.find(p)).as(p.name()).isEmpty();
            } else {
                assertThat(grads.get(p).toFloats())
                        .as(p.name())
                        .isEqualTo(expected.get(p).toFloats());
            }
        }
    }

    @Test
    void theWeightComesFromTheStep() {
        var model = Encoders.classifier();
        Schedule rising = Ramp.linear(0, 0.3, 0.5);
        var objective = ContrastiveClassifier.attach(model, 8, OPTIONS, rising, 2);
        Labelled batch = Encoders.batch(LABELS);
        LossTerm first = objective.loss(batch, Encoders.step(1, 100));
        LossTerm middle = objective.loss(batch, Encoders.step(26, 100));
        LossTerm late = objective.loss(batch, Encoders.step(90, 100));

        assertThat(first.report()).containsEntry("lambda", 0.0);
        assertThat(middle.report().get("lambda")).isCloseTo(0.15, offset(1e-12));
        assertThat(late.report().get("lambda")).isEqualTo(0.3);
        assertThat(middle.sum().item() - first.sum().item())
                .isCloseTo(5 * 0.15 * middle.report().get("contrast"), offset(1e-4));
        assertThat(objective.isAccumulationInvariant()).isFalse();
    }

    @Test
    void theContrastIsThatOfTheProjections() {
        var model = Encoders.classifier();
        var objective = ContrastiveClassifier.attach(model, 8, OPTIONS, Ramp.constant(1), 2);
        Labelled batch = Encoders.batch(LABELS);
        Map<String, Double> report = objective.loss(batch, Encoders.step(1, 10)).report();
        var projector = (Mlp) model.module("projector");
        var features = model.features(batch.input(), Context.EMPTY);

        assertThat(report.get("contrast"))
                .isCloseTo(
                        ContrastiveLosses.supCon(projector.call(features), LABELS, OPTIONS).item(),
                        offset(1e-6));
    }

    @Test
    void batchesWithoutPairsAreClassifiedOnly() {
        var model = Encoders.classifier();
        var objective = ContrastiveClassifier.attach(model, 8, OPTIONS, Ramp.constant(1), 2);

        assertThat(objective.loss(Encoders.batch(0, 1, 2), Encoders.step(1, 10)).report())
                .doesNotContainKey("contrast");
    }

    @Test
    void everyParameterLearnsAndHasTheGradientOfItsValue() {
        var model = Encoders.classifier();
        var objective = ContrastiveClassifier.attach(model, 8, OPTIONS, Ramp.constant(0.3), 2);
        Labelled batch = Encoders.batch(LABELS);
        Encoders.assertAllLearn(
                model, objective.loss(batch, Encoders.step(1, 10)).sum().backward());

        model.to(DType.F64);
        Encoders.assertGradients(
                model, () -> objective.loss(batch, Encoders.step(1, 10)).sum().div(5));
    }
}
