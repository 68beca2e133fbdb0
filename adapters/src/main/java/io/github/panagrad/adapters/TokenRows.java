package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Vectors that stand in for some of an embedding's.
final class TokenRows extends LayerAdapter {
    private static final String NAME = "trainable_tokens_delta";

    private final int[] tokens;
    private final Map<Integer, Integer> numbers = new HashMap<>();
    private final Parameter rows;

    /// Begins with the vectors of the table.
    TokenRows(int[] tokens, Tensor table) {
        this.tokens = tokens;
        for (int i = 0; i < tokens.length; i++) {
            numbers.put(tokens[i], i);
        }
        Tensor picked =
                Ops.noGrad(() ->
                        table.indexSelect(
                                0, Ops.indices(tokens, tokens.length).to(table.device())));
        rows = parameter(NAME, picked);
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        Tensor vectors = inner.apply(x);
        int[] ids = x.toInts();
        int[] from = new int[ids.length];
        List<Integer> own = new ArrayList<>();
        for (int i = 0; i < ids.length; i++) {
            Integer number = numbers.get(ids[i]);
            from[i] = number == null ? i : ids.length + own.size();
            if (number != null) {
                own.add(number);
            }
        }
        if (own.isEmpty()) {
            return vectors;
        }
        Tensor picked = rows.indexSelect(0, indices(own.stream().mapToInt(n -> n).toArray()));
        return Ops.concat(0, vectors.reshape(ids.length, -1), picked)
                .indexSelect(0, indices(from))
                .reshape(vectors.shape().toArray());
    }

    private Tensor indices(int[] values) {
        return Ops.indices(values, values.length).to(rows.device());
    }

    /// Puts other entries of one dimension, in the order of the tokens, in the place of theirs.
    private Tensor replaced(int dim, Tensor all, Tensor others) {
        int n = all.dim(dim);
        int[] from = new int[n];
        Arrays.setAll(from, i -> i);
        for (int i = 0; i < tokens.length; i++) {
            from[tokens[i]] = n + i;
        }
        return Ops.concat(dim, all, others).indexSelect(dim, indices(from));
    }

    @Override
    protected Tensor mergedWeight(Tensor weight) {
        return replaced(0, weight, rows);
    }

    @Override
    protected Tensor effectiveWeight(Tensor weight) {
        return replaced(0, weight.to(rows.dtype()), rows);
    }

    /// Returns the part around a head that is tied to the embedding.
    LayerAdapter ofHead() {
        return new Head();
    }

    /// Scores tokens by the same vectors; has none of its own.
    private final class Head extends LayerAdapter {
        @Override
        protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
            Tensor logits = inner.apply(x);
            return replaced(logits.rank() - 1, logits, Ops.linear(x, rows, null));
        }

        @Override
        protected Tensor mergedWeight(Tensor weight) {
            return TokenRows.this.mergedWeight(weight);
        }

        @Override
        protected Tensor effectiveWeight(Tensor weight) {
            return TokenRows.this.effectiveWeight(weight);
        }
    }
}
