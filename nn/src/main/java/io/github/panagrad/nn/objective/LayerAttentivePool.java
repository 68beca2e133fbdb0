package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.layers.LayerNorm;
import io.github.panagrad.nn.layers.Linear;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Adds to a row's last state a weighted mean of its states in several layers:
/// g = LayerNorm(c + γ·Σₗ aₗ·cₗ).
///
/// γ is learnt and starts at 0, where training starts at the plain model. The weights a say which
/// layers the task reads. **A reconstruction** of arXiv 2603.14075, of which only the abstract could be
/// read; attention over layers has the form of nlpods/LayerAttPooler.
public final class LayerAttentivePool extends Module {
    private static final double EPS = 1e-5;

    private final Options options;
    private final int layers;
    private final @Nullable Parameter scores;
    private final @Nullable Linear keys;
    private final @Nullable Linear query;
    private final @Nullable Parameter gate;
    private final @Nullable LayerNorm norm;

    /// Where the weights of the layers come from.
    public enum Mode {
        /// a = softmax(w), w learnt, 0 at first: one weight a layer.
        STATIC,
        /// aₗ = softmaxₗ(v·tanh(U·cₗ)): weights of each row's own.
        INPUT
    }

    /// What the pool is made of.
    ///
    /// @param mode where the weights come from
    /// @param residual whether the mean is added to the last state, times γ; otherwise it takes its
    ///     place
    /// @param norm whether a layer norm follows
    public record Options(Mode mode, boolean residual, boolean norm) {
        /// One learnt weight a layer, added to the last state and normalised.
        public static final Options DEFAULT = new Options(Mode.STATIC, true, true);
    }

    /// Creates a pool.
    ///
    /// @param layers how many states a row comes with
    /// @param width C, how wide they are
    /// @param rng draws U and v
    public LayerAttentivePool(int layers, int width, Options options, Rng rng) {
        if (layers < 1) {
            throw new PanagradException("layerPool", "no layers", "" + layers, "at least 1", "");
        }
        this.layers = layers;
        this.options = options;
        boolean fixed = options.mode() == Mode.STATIC;
        scores = fixed ? parameter("scores", Ops.zeros(layers)) : null;
        keys = fixed ? null : register("keys", linear(width, width, rng));
        query = fixed ? null : register("query", linear(width, 1, rng));
        gate = options.residual() ? parameter("gate", Ops.zeros(1)) : null;
        norm = options.norm() ? register("norm", new LayerNorm(width, EPS)) : null;
    }

    private static Linear linear(int in, int out, Rng rng) {
        return new Linear(in, out, false, Init.kaimingUniform(Math.sqrt(5)), rng);
    }

    /// Pools. Shapes: last (B, C), states (B, C) each → (B, C).
    ///
    /// @param last the row's state c
    /// @param states its states in the layers, cₗ
    public Tensor pool(Tensor last, List<Tensor> states) {
        Tensor stacked = stacked(states);
        Tensor mean = attention(stacked).unsqueeze(-1).mul(stacked).sum(1, false);
        Tensor mixed = gate == null ? mean : last.add(mean.mul(gate));
        return norm == null ? mixed : norm.call(mixed);
    }

    /// Returns the weights of the layers for each row. Shapes: states (B, C) each → (B, layers).
    public Tensor weights(List<Tensor> states) {
        return attention(stacked(states));
    }

    /// Returns the weights of the layers, the same for all rows.
    ///
    /// @throws PanagradException in mode INPUT, where they depend on the row
    public double[] weights() {
        if (scores == null) {
            throw new PanagradException(
                    "layerPool: weights depend on the row; ask for those of some states");
        }
        return Ops.softmax(scores.detach(), -1).toDoubles();
    }

    private Tensor attention(Tensor stacked) {
        Tensor logits =
                scores != null
                        ? scores.expand(Shape.of(stacked.dim(0), layers))
                        : require(query).call(require(keys).call(stacked).tanh()).squeeze(-1);
        return Ops.softmax(logits, -1);
    }

    private static Linear require(@Nullable Linear part) {
        if (part == null) {
            throw new IllegalStateException("a pool without scores has keys and a query");
        }
        return part;
    }

    private Tensor stacked(List<Tensor> states) {
        if (states.size() != layers) {
            throw new PanagradException(
                    "layerPool",
                    "states do not fit",
                    states.size() + " states",
                    layers + ", one a layer",
                    "");
        }
        return Ops.stack(1, states.toArray(Tensor[]::new));
    }

    @Override
    protected String describe() {
        return "LayerAttentivePool(" + layers + " layers, " + options.mode() + ")";
    }
}
