package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.train.Objectives.Labelled;
import io.github.panagrad.nn.train.Step;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// A small encoder, rows for it, and checks of gradients.
final class Encoders {
    private static final double DIFFERENCE = 1e-5;
    private static final int PROBES = 3;

    private Encoders() {}

    static BertModel encoder() {
        return BertModel.create(TinyModels.config(TinyModels.encoder()), 5);
    }

    static BertClassifier classifier() {
        return BertClassifier.ofRows(encoder(), List.of("a", "b", "c"), Pooling.MEAN, 3);
    }

    static BertInput rows(long seed, int count) {
        var draw = Rng.of(seed).draw();
        return BertInput.of(
                IntStream.range(0, count)
                        .mapToObj(i ->
                                TinyModels.ids(1000 * seed + i, 1, 3 + (int) (4 * draw.uniform(i)))
                                        .toInts())
                        .toList(),
                0);
    }

    static Labelled batch(int... labels) {
        return new Labelled(rows(1, labels.length), Ops.indices(labels, labels.length));
    }

    static Step step(long number, long total) {
        return new Step(number, total, 0, Context.of(Rng.of(7)));
    }

    /// Every trainable parameter gets a finite gradient that is not zero throughout.
    static void assertAllLearn(Module module, Grads grads) {
        for (Parameter p : module.trainable()) {
            double norm = grads.get(p).norm().item();
            assertThat(norm).as(p.name()).isFinite().isPositive();
        }
    }

    /// Holds the gradient of every trainable parameter, all in F64, against differences.
    static void assertGradients(Module module, Supplier<Tensor> loss) {
        Grads grads = loss.get().backward();
        for (Parameter p : module.trainable()) {
            double[] values = p.toDoubles();
            double[] analytic =
                    grads.find(p).map(Tensor::toDoubles).orElse(new double[values.length]);
            int stride = Math.max(1, values.length / PROBES);
            for (int i = 0; i < values.length; i += stride) {
                double up = shifted(p, values, i, DIFFERENCE, loss);
                double down = shifted(p, values, i, -DIFFERENCE, loss);
                double numeric = (up - down) / (2 * DIFFERENCE);
                assertThat(Math.abs(analytic[i] - numeric) / (1 + Math.abs(numeric)))
                        .as("%s [%d]: %s and %s", p.name(), i, analytic[i], numeric)
                        .isLessThan(1e-6);
            }
        }
    }

    private static double shifted(
            Parameter p, double[] values, int i, double by, Supplier<Tensor> loss) {
        double[] changed = values.clone();
        changed[i] += by;
        p.assign(Ops.tensor64(changed, p.shape().toArray()));
        double result = Ops.noGrad(() -> Ops.scope(() -> loss.get().item()));
        p.assign(Ops.tensor64(values.clone(), p.shape().toArray()));
        return result;
    }
}
