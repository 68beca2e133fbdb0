package io.github.panagrad.adapters;

import io.github.panagrad.adapters.delta.LowRankDelta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The detour around one linear layer in the form of a singular value decomposition.
///
/// Directions that have been cut off are not computed and not written.
final class AdaLoraLayer extends LayerAdapter {
    static final String VALUES = "lora_E";
    private static final String DOWN = "lora_A";
    private static final String UP = "lora_B";

    /// PEFT's file may hold it: what α is divided by.
    private static final String DIVISOR = "ranknum";

    /// Deviation of the initial A and B.
    private static final double DEVIATION = 0.02;

    /// PEFT adds it to the rank that α is divided by.
    private static final double GUARD = 1e-5;

    /// Keeps the derivative of a norm finite where it is zero.
    private static final double TINY = 1e-12;

    private final int initialRank;
    private final double scale;
    private final double dropout;
    private final boolean[] pattern;
    private final Parameter down;
    private final Parameter values;
    private final Parameter up;
    private final AdaLoraImportance importance;
    private volatile int[] live;
    private boolean isCut;

    AdaLoraLayer(AdaLora options, String path, Linear base, Rng rng) {
        initialRank = options.initialRank();
        scale = options.alpha() / (initialRank + GUARD);
        dropout = options.dropout();
        pattern = options.pattern(path);
        live = trues(pattern);
        int rank = live.length;
        for (int i = 0; i < rank; i++) {
            live[i] = i;
        }
        down = parameter(DOWN, Init.normal(0, DEVIATION).draw(Shape.of(rank, base.in()), rng));
        values = parameter(VALUES, Init.zeros().draw(Shape.of(rank, 1), rng));
        up = parameter(UP, Init.normal(0, DEVIATION).draw(Shape.of(base.out(), rank), rng));
        importance = new AdaLoraImportance(down, values, up);
    }

    private static int[] trues(boolean[] pattern) {
        int[] at = new int[pattern.length];
        int count = 0;
        for (int i = 0; i < pattern.length; i++) {
            if (pattern[i]) {
                at[count++] = i;
            }
        }
        return Arrays.copyOf(at, count);
    }

    /// Returns A. Shapes: (r, in).
    Parameter down() {
        return down;
    }

    /// Returns E. Shapes: (r, 1).
    Parameter values() {
        return values;
    }

    /// Returns B. Shapes: (out, r).
    Parameter up() {
        return up;
    }

    /// Returns how many directions there are, those cut off included.
    int rank() {
        return values.dim(0);
    }

    /// Returns which of the initial directions are left.
    boolean[] pattern() {
        return pattern.clone();
    }

    /// Returns how much the directions matter.
    AdaLoraImportance importance() {
        return importance;
    }

    /// Tells whether directions have been cut off for good.
    boolean isCut() {
        return isCut;
    }

    /// Returns which of the directions that the layer was made with are left.
    boolean[] live() {
        boolean[] kept = new boolean[rank()];
        for (int i : live) {
            kept[i] = true;
        }
        return kept;
    }

    /// Sets entries of E to zero; they may grow again.
    void silence(boolean[] kept) {
        float[] entries = values.toFloats();
        for (int i = 0; i < entries.length; i++) {
            entries[i] = kept[i] ? entries[i] : 0;
        }
        values.assign(Ops.tensor(entries, entries.length, 1));
    }

    /// Cuts directions off for good.
    void cut(boolean[] kept) {
        int[] places = trues(pattern);
        for (int i = 0; i < kept.length; i++) {
            pattern[places[i]] = kept[i];
        }
        live = trues(kept);
        isCut = true;
    }

    private Tensor alive(Tensor tensor, int dim) {
        int[] at = live;
        return at.length == rank() ? tensor : tensor.indexSelect(dim, Ops.indices(at, at.length));
    }

    private Tensor scaledDown() {
        return alive(down, 0).mul(alive(values, 0));
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        Tensor y = inner.apply(x);
        if (live.length == 0) {
            return y;
        }
        boolean drops = layer.isTraining() && dropout > 0;
        Tensor kept = drops ? Ops.dropout(x, dropout, context.rng()) : x;
        Tensor low = Ops.linear(kept, scaledDown(), null);
        return y.add(Ops.linear(low, alive(up, 1), null).mul(scale));
    }

    @Override
    protected Tensor mergedWeight(Tensor weight) {
        return live.length == 0 ? weight : weight.add(alive(up, 1).matmul(scaledDown()).mul(scale));
    }

    @Override
    protected @Nullable TensorDelta weightDelta(Tensor weight) {
        return live.length == 0
                ? super.weightDelta(weight)
                : LowRankDelta.of(alive(up, 1).mul(scale), scaledDown());
    }

    /// Returns ‖A·Aᵀ − I‖ and ‖Bᵀ·B − I‖, Frobenius norms.
    List<Tensor> distancesFromOrthonormal() {
        if (live.length == 0) {
            return List.of();
        }
        Tensor a = alive(down, 0);
        Tensor b = alive(up, 1);
        return List.of(distance(a.matmul(a.transpose())), distance(b.transpose().matmul(b)));
    }

    private static Tensor distance(Tensor gram) {
        Tensor identity = Ops.eye(gram.dim(0)).to(gram.dtype()).to(gram.device());
        return gram.sub(identity).square().sum().add(TINY).sqrt();
    }

    @Override
    protected Map<String, Tensor> saved() {
        return live.length == 0
                ? Map.of()
                : Ops.noGrad(() ->
                        Map.of(
                                DOWN, alive(down, 0).detach(),
                                VALUES, alive(values, 0).detach(),
                                UP, alive(up, 1).detach()));
    }

    @Override
    protected void restore(Map<String, Tensor> saved) {
        var rest = new LinkedHashMap<>(saved);
        Tensor divisor = rest.remove(DIVISOR);
        if (divisor != null && divisor.toDoubles()[0] != initialRank) {
            throw new PanagradException(
                    "adalora",
                    DIVISOR + " is not the initial rank",
                    "" + divisor.toDoubles()[0],
                    "" + initialRank,
                    "multiply lora_E by init_r / ranknum and leave ranknum out");
        }
        super.restore(rest);
    }

    /// Reads PEFT's `rank_pattern`, by the path of the layer.
    static Map<String, boolean[]> patterns(JsonObject config, int initialRank) {
        var patterns = new LinkedHashMap<String, boolean[]>();
        if (config.get("rank_pattern") == null) {
            return patterns;
        }
        JsonObject byName = config.object("rank_pattern");
        for (String name : byName.names()) {
            List<?> entries = byName.list(name);
            boolean[] pattern = new boolean[initialRank];
            boolean fits = entries.size() == initialRank && name.endsWith("." + VALUES);
            for (int i = 0; fits && i < initialRank; i++) {
                fits = entries.get(i) instanceof Boolean;
                pattern[i] = Boolean.TRUE.equals(entries.get(i));
            }
            if (!fits) {
                throw byName.error(
                        name,
                        "not a pattern of ranks",
                        "<layer>." + VALUES + " with " + initialRank + " times true or false",
                        "");
            }
            patterns.put(name.substring(0, name.length() - VALUES.length() - 1), pattern);
        }
        return patterns;
    }
}
