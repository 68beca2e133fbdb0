package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Attachment;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.layers.Linear;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The low-rank detour around one linear layer.
///
/// A and B are linear layers attached to it, so that their parameters are found under its path, as
/// `….lora_A.weight` and `….lora_B.weight`.
final class LoraDetour {
    static final String A = "lora_A";
    static final String B = "lora_B";

    private final Lora options;
    private final Linear base;
    private final Linear down;
    private final Linear up;
    private @Nullable Attachment attachment;
    private @Nullable Tensor unmerged;

    private LoraDetour(Lora options, Linear base, Linear down, Linear up) {
        this.options = options;
        this.base = base;
        this.down = down;
        this.up = up;
    }

    static LoraDetour attach(Lora options, Linear base, Rng rng) {
        var down =
                new Linear(
                        base.in(), options.rank(), false, Init.kaimingUniform(Math.sqrt(5)), rng);
        var up = new Linear(options.rank(), base.out(), false, Init.zeros(), rng);
        DType dtype = base.weight().dtype().widened();
        down.to(dtype);
        up.to(dtype);
        down.to(base.weight().device());
        up.to(base.weight().device());
        var detour = new LoraDetour(options, base, down, up);
        detour.attachment =
                Attachment.all(
                        List.of(
                                base.attach(A, down),
                                base.attach(B, up),
                                base.intercept(detour::around)));
        return detour;
    }

    private Tensor around(Layer layer, Tensor x, Context context, UnaryOperator<Tensor> inner) {
        Tensor y = inner.apply(x);
        if (unmerged != null) {
            return y;
        }
        boolean drops = layer.isTraining() && options.dropout() > 0;
        Tensor kept = drops ? Ops.dropout(x, options.dropout(), context.rng()) : x;
        return y.add(up.call(down.call(kept, context), context).mul(options.scale()));
    }

    Lora options() {
        return options;
    }

    Parameter a() {
        return down.weight();
    }

    Parameter b() {
        return up.weight();
    }

    /// Puts W + (α/r)·B·A, in F32, in the place of W, and switches the detour off.
    void merge() {
        if (unmerged != null) {
            return;
        }
        Parameter weight = base.weight();
        Tensor before = weight.detach();
        weight.replace(
                Ops.noGrad(() ->
                        before.to(before.dtype().widened())
                                .add(b().matmul(a()).mul(options.scale()))));
        unmerged = before;
    }

    /// Puts W itself back, bit for bit, and switches the detour on.
    void unmerge() {
        Tensor before = unmerged;
        if (before != null) {
            base.weight().replace(before);
            base.weight().trainable(false);
            unmerged = null;
        }
    }

    void detach() {
        unmerge();
        if (attachment != null) {
            attachment.close();
            attachment = null;
        }
    }

    /// Takes the detour away for good; a merged weight stays.
    void forget() {
        unmerged = null;
        detach();
    }
}
