package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.ValueCoding;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.objective.ValueRegression.Valued;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.Trainer;
import java.util.List;
import org.junit.jupiter.api.Test;

class ValueRegressionTest {
    private static final double[] VALUES = {-0.8, 0.1, 0.75, 0.4};
    private static final List<ValueCoding> CODINGS =
            List.of(
                    ValueCoding.squaredError(),
                    ValueCoding.twoHot(-1, 1, 11),
                    ValueCoding.hlGauss(-1, 1, 11, 0.75));

    private final BertModel encoder = frozenPooler();
    private final Valued batch =
            new Valued(Encoders.rows(4, 4), Ops.tensor64(VALUES.clone(), 4).to(DType.F32));

    private static BertModel frozenPooler() {
        BertModel encoder = Encoders.encoder();
        encoder.freeze(PathPattern.of("pooler"));
        return encoder;
    }

    private ValueRegression attach(ValueCoding coding) {
        return ValueRegression.attach(
                encoder,
                (input, context) -> Pooling.MEAN.pool(encoder.hidden(input, context), input.mask()),
                16,
                coding,
                3);
    }

    @Test
    void learnsNumbers() {
        var objective = attach(CODINGS.getLast());
        var optimizer = AdamW.of(encoder.trainable()).lr(1e-2);
        Trainer.of(encoder, optimizer, objective).steps(60).run(epoch -> List.of(batch));
        double[] predicted = objective.predict(batch.input(), Context.EMPTY).toDoubles();

        for (int i = 0; i < VALUES.length; i++) {
            assertThat(Math.abs(predicted[i] - VALUES[i])).isLessThan(0.15);
        }
        assertThat(objective.isAccumulationInvariant()).isTrue();
        assertThat(objective.head().parameters()).hasSize(2);
    }

    @Test
    void everyParameterLearnsAndHasTheGradientOfItsValue() {
        for (ValueCoding coding : CODINGS) {
            var test = new ValueRegressionTest();
            var objective = test.attach(coding);
            Encoders.assertAllLearn(
                    test.encoder,
                    objective.loss(test.batch, Encoders.step(1, 10)).sum().backward());
            test.encoder.to(DType.F64);
            Encoders.assertGradients(
                    test.encoder, () -> objective.loss(test.batch, Encoders.step(1, 10)).sum());
        }
    }

    @Test
    void networksNeedTwoWidths() {
        assertThat(new Mlp(Rng.of(1), 3, 5, 2).toString()).contains("Mlp(3 → 5 → 2)");
        assertThatThrownBy(() -> new Mlp(Rng.of(1), 3)).hasMessageContaining("at least two");
    }
}
