package io.github.panagrad.adapters;

import io.github.panagrad.adapters.delta.LowRankDelta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.layers.Linear;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The low-rank detour around one linear layer.
final class LoraLayer extends LayerAdapter {
    private static final String DOWN = "lora_A.weight";
    private static final String UP = "lora_B.weight";

    /// PEFT's name in files; in its memory, and in files of other libraries, `.weight` is behind it.
    private static final String MAGNITUDE = "lora_magnitude_vector";

    private final double scale;
    private final double dropout;
    private final Linear base;
    private final Parameter down;
    private final Parameter up;
    private final @Nullable Parameter downAtStart;
    private final @Nullable Parameter upAtStart;
    private final @Nullable Parameter magnitude;

    LoraLayer(Lora options, String path, Linear base, Rng rng) {
        this.base = base;
        scale = options.scale(path);
        dropout = options.dropout();
        LoraInit.Factors start =
                Ops.noGrad(
                        () -> options.init().factors(path, base, options.rank(path), scale, rng));
        down = parameter(DOWN, start.a().to(DType.F32)).trainable(!options.freezesDown());
        up = parameter(UP, start.b().to(DType.F32));
        boolean subtracts = options.init().subtractsStart();
        downAtStart = subtracts ? frozen("initial_A.weight", down) : null;
        upAtStart = subtracts ? frozen("initial_B.weight", up) : null;
        magnitude =
                options.isDora()
                        ? parameter(MAGNITUDE, Ops.noGrad(() -> lengths(wide()).to(DType.F32)))
                        : null;
    }

    private Parameter frozen(String name, Parameter like) {
        return parameter(name, like.detach().copy()).trainable(false);
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        Tensor y = inner.apply(x);
        boolean drops = layer.isTraining() && dropout > 0;
        Tensor kept = drops ? Ops.dropout(x, dropout, context.rng()) : x;
        Tensor detour = Ops.linear(Ops.linear(kept, allDown(), null), allUp(), null).mul(scale);
        return magnitude == null
                ? y.add(detour)
                : turned(magnitude, y, drops ? kept : null, detour);
    }

    /// Adds what DoRA adds: (m/‖W + ΔW‖)·(W·x + ΔW·x) − W·x, row by row.
    private Tensor turned(Tensor m, Tensor y, @Nullable Tensor dropped, Tensor detour) {
        Tensor ratio = m.div(Ops.noGrad(() -> lengths(mergedDirection(wide()))));
        Parameter bias = base.bias();
        Tensor plain;
        if (dropped != null) {
            plain = Ops.linear(dropped, base.weight(), null);
        } else {
            plain = bias == null ? y : y.sub(bias);
        }
        return y.add(plain.mul(ratio.sub(1))).add(detour.mul(ratio));
    }

    private Tensor allDown() {
        return downAtStart == null ? down : interleaved(0, down, downAtStart);
    }

    private Tensor allUp() {
        return upAtStart == null ? up : interleaved(1, up, upAtStart.neg());
    }

    /// Puts each factor next to the one at the start that it is reduced by: as long as they are the
    /// same, sums over both stay small, and so does what rounding leaves of them.
    private static Tensor interleaved(int axis, Tensor now, Tensor start) {
        int rows = now.dim(0);
        int columns = now.dim(1);
        return axis == 0
                ? Ops.concat(1, now, start).reshape(2 * rows, columns)
                : Ops.concat(2, now.reshape(rows, columns, 1), start.reshape(rows, columns, 1))
                        .reshape(rows, 2 * columns);
    }

    private Tensor wide() {
        Parameter weight = base.weight();
        return weight.detach().to(weight.dtype().widened());
    }

    private Tensor mergedDirection(Tensor weight) {
        return weight.add(allUp().matmul(allDown()).mul(scale));
    }

    /// Returns the length of each row. Shapes: (out, in) → (out).
    private static Tensor lengths(Tensor weight) {
        return weight.mul(weight).sum(1, false).sqrt();
    }

    @Override
    protected Tensor mergedWeight(Tensor weight) {
        Tensor direction = mergedDirection(weight);
        return magnitude == null
                ? direction
                : direction.mul(magnitude.div(lengths(direction)).reshape(base.out(), 1));
    }

    @Override
    protected @Nullable TensorDelta weightDelta(Tensor weight) {
        return magnitude == null
                ? LowRankDelta.of(allUp().mul(scale), allDown())
                : super.weightDelta(weight);
    }

    @Override
    protected Map<String, Tensor> saved() {
        var saved = new LinkedHashMap<>(stateDict());
        if (downAtStart != null) {
            saved.keySet().removeIf(name -> name.startsWith("initial_"));
            saved.put(DOWN, Ops.noGrad(this::allDown));
            saved.put(UP, Ops.noGrad(this::allUp));
        }
        return saved;
    }

    @Override
    protected void restore(Map<String, Tensor> saved) {
        var named = new LinkedHashMap<>(saved);
        Tensor other = named.remove(MAGNITUDE + ".weight");
        if (other != null) {
            named.put(MAGNITUDE, other);
        }
        super.restore(named);
    }
}
