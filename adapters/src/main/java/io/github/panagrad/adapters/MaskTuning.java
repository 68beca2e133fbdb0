package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Penalty;
import java.util.Map;
import java.util.Set;

/// Learns which weights of frozen linear layers to switch off: y = (m ⊙ W)·x + b, m = 1 where a trained
/// score is above a threshold, with the gradient of the scores passed straight through the step.
///
/// All weights are on at first. A score has to travel from its first value to the threshold before
/// its weight goes off: with Adam, in steps of the learning rate. Files hold a bit a weight; the
/// scores behind it are not kept. Merging writes zeros.
///
/// ```java
/// var adapter = MaskTuning.standard().attach(model, "**.self_attn.{q,k,v,o}_proj");
/// Trainer.of(model, optimizer, MaskTuning.regularized(objective, adapter)) …
/// ```
///
/// Source: Zheng et al., Regularized Mask Tuning, ICCV 2023, arXiv 2307.15049, and its published code;
/// its gradient dropout is `sparse.GradientDropout`.
///
/// @param init the first score of every weight, above the threshold
/// @param threshold τ; weights whose score is not above it are off
/// @param l2 what the sum of the norms of the scores counts in the loss, a tensor each
public record MaskTuning(double init, double threshold, double l2) implements AdapterMethod {
    static final String PEFT_TYPE = "PANAGRAD_MASK";

    private static final String SCORES = "mask_scores";
    private static final String BITS = "mask_bits";

    /// Keeps the derivative of a norm finite where it is zero.
    private static final double TINY = 1e-12;

    /// Checks the numbers.
    public MaskTuning {
        if (!(init > threshold && Double.isFinite(init - threshold) && l2 >= 0)) {
            throw new PanagradException(
                    "mask tuning",
                    "out of range",
                    "init " + init + ", threshold " + threshold + ", l2 " + l2,
                    "init above the threshold, l2 0 or more",
                    "");
        }
    }

    /// Starts with the values of the published code: scores of 0.01, a threshold of 0.005, norms
    /// counting 1e-4.
    public static MaskTuning standard() {
        return new MaskTuning(0.01, 0.005, 1e-4);
    }

    /// Adds the norms of an adapter's scores to an objective.
    ///
    /// @param adapter one that this method made
    public static <B> Objective<B> regularized(Objective<B> objective, Adapter adapter) {
        return Penalty.on(
                objective,
                "mask norm",
                of(adapter).l2,
                () -> {
                    Tensor sum = null;
                    for (Parameter scores : adapter.parameters().values()) {
                        Tensor norm = scores.square().sum().add(TINY).sqrt();
                        sum = sum == null ? norm : sum.add(norm);
                    }
                    return sum == null ? Ops.zeros() : sum;
                });
    }

    /// Returns which share of the masked layers' weights is off.
    ///
    /// @param adapter one that this method made
    public static double shareOff(Adapter adapter) {
        double threshold = of(adapter).threshold;
        long off = 0;
        long all = 0;
        for (Parameter scores : adapter.parameters().values()) {
            for (float score : scores.toFloats()) {
                off += score > (float) threshold ? 0 : 1;
                all++;
            }
        }
        return (double) off / all;
    }

    private static MaskTuning of(Adapter adapter) {
        if (adapter.method() instanceof MaskTuning method) {
            return method;
        }
        throw new PanagradException(
                "adapter " + adapter.name(),
                "has no masks",
                adapter.method().peftType(),
                PEFT_TYPE,
                "");
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        return Parts.ofLinear(targets, layer -> new Mask(this, layer));
    }

    private static final class Mask extends LayerAdapter {
        private final double init;
        private final double threshold;
        private final Parameter scores;

        Mask(MaskTuning options, Linear base) {
            init = options.init;
            threshold = options.threshold;
            scores = parameter(SCORES, Ops.full(DType.F32, Shape.of(base.out(), base.in()), init));
        }

        @Override
        protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
            if (!inner.isLayer() || !(layer instanceof Linear linear)) {
                throw new PanagradException(
                        "mask tuning",
                        "something was attached to the layer before",
                        layer.path(),
                        "the layer itself within",
                        "attach masks first, other adapters and taps after them");
            }
            return Ops.linear(x, masked(linear.weight()), linear.bias());
        }

        private Tensor masked(Tensor weight) {
            return weight.mul(Ops.straightThrough(scores, threshold));
        }

        @Override
        protected Tensor mergedWeight(Tensor weight) {
            return masked(weight);
        }

        @Override
        protected Map<String, Tensor> saved() {
            return Map.of(BITS, MaskBits.pack(scores, threshold));
        }

        @Override
        protected void restore(Map<String, Tensor> saved) {
            Tensor bits = saved.get(BITS);
            if (bits == null || !saved.keySet().equals(Set.of(BITS))) {
                throw new PanagradException(
                        "mask tuning", "other values", "" + saved.keySet(), BITS, "");
            }
            // As far below the threshold as the others are above it.
            scores.assign(MaskBits.unpack(bits, scores.shape(), init, 2 * threshold - init));
        }
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public JsonObject config() {
        return JsonObject.of("init_score", init, "threshold", threshold, "l2", l2);
    }

    static MaskTuning read(JsonObject config) {
        MaskTuning usual = standard();
        return new MaskTuning(
                config.number("init_score", usual.init),
                config.number("threshold", usual.threshold),
                config.number("l2", usual.l2));
    }
}
