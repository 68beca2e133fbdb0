package io.github.panagrad.adapters.sparse;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.train.GradTransform;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Drops entries of the gradient at random, the likelier the more a second loss pulls against them: a
/// way not to forget what a teacher knows while only the first loss is followed.
///
/// With the gradients a of the loss and b of the second one, an entry is kept with probability
/// P = ½·(1 + sign(a)·(a + b)/(|a| + |b|)), and a dropped one is multiplied by 1 − λ. The second loss is
/// computed in a forward pass of its own, so that it may be any objective.
///
/// ```java
/// var dropout = new GradientDropout<>(1, adapter.parameters().values(),
///         Distill.of(model, Teacher.adapterOff(model, adapter::enabled)).weights(0, 1));
/// Trainer.of(model, optimizer, dropout.watching(objective)).transform(dropout) …
/// ```
///
/// Source: Zheng et al., Regularized Mask Tuning, ICCV 2023, arXiv 2307.15049, section 3.3.
///
/// @param <B> the class of a batch
public final class GradientDropout<B> implements GradTransform {
    private static final int GRAIN = 4096;

    private final double lambda;
    private final List<Parameter> parameters;
    private final Objective<B> second;
    private @Nullable Grads pending;
    private double pendingCount;

    /// Creates a dropout.
    ///
    /// @param lambda λ, from 0 for no dropout to 1
    /// @param parameters whose gradients it is for
    /// @param second the second loss, such as a teacher's divergence
    public GradientDropout(double lambda, Collection<Parameter> parameters, Objective<B> second) {
        if (!(lambda >= 0 && lambda <= 1)) {
            throw new PanagradException(
                    "gradient dropout", "lambda out of range", "" + lambda, "0 to 1", "");
        }
        this.lambda = lambda;
        this.parameters = List.copyOf(parameters);
        this.second = second;
    }

    /// Returns the probability with which an entry is kept.
    ///
    /// @param a its gradient
    /// @param b its gradient of the second loss
    public static double keepProbability(double a, double b) {
        double scale = Math.abs(a) + Math.abs(b);
        return scale == 0 ? 1 : 0.5 * (1 + Math.signum(a) * (a + b) / scale);
    }

    /// Computes the second loss's gradients beside an objective, batch by batch.
    public Objective<B> watching(Objective<B> objective) {
        return lambda == 0 ? objective : new Watching(objective);
    }

    private final class Watching implements Objective<B> {
        private final Objective<B> objective;

        private Watching(Objective<B> objective) {
            this.objective = objective;
        }

        @Override
        public LossTerm loss(B batch, Step step) {
            LossTerm term = second.loss(batch, step);
            Grads grads = term.sum().backward();
            Grads all = pending == null ? grads : pending.plus(grads);
            all.forEachTensor(Tensor::keep);
            pending = all;
            pendingCount += term.count();
            return objective.loss(batch, step);
        }

        @Override
        public boolean isAccumulationInvariant() {
            return objective.isAccumulationInvariant();
        }

        @Override
        public Map<String, Tensor> state() {
            return objective.state();
        }

        @Override
        public void load(Map<String, Tensor> state) {
            objective.load(state);
        }
    }

    @Override
    public Grads apply(Grads grads, double count, Step step) {
        Grads others = pending;
        double othersCount = pendingCount;
        pending = null;
        pendingCount = 0;
        if (lambda == 0) {
            return grads;
        }
        if (others == null) {
            throw new PanagradException(
                    "gradient dropout",
                    "the second loss was not computed",
                    "",
                    "the objective that watching(…) returns",
                    "");
        }
        Rng rng = step.context().rng();
        var dropped = new LinkedHashMap<Parameter, Tensor>();
        for (Parameter parameter : parameters) {
            Rng.Draw draw = rng.draw();
            Tensor a = grads.find(parameter).orElse(null);
            if (a != null) {
                Tensor b = others.find(parameter).orElse(null);
                dropped.put(parameter, drop(a, b, othersCount / count, draw));
            }
        }
        return grads.with(dropped);
    }

    /// Drops entries; gradients are of sums, so that b is scaled to as many terms as a is of.
    private Tensor drop(Tensor grad, @Nullable Tensor other, double termsOfOther, Rng.Draw draw) {
        float[] a = grad.toFloats();
        float[] b = other == null ? new float[a.length] : other.toFloats();
        double left = 1 - lambda;
        Parallel.forRange(
                a.length,
                GRAIN,
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        if (!(draw.uniform(i) < keepProbability(a[i], b[i] / termsOfOther))) {
                            a[i] *= (float) left;
                        }
                    }
                });
        return Ops.tensor(a, grad.shape().toArray()).to(grad.dtype()).to(grad.device());
    }
}
