package io.github.panagrad.adapters;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Kronecker products: ΔW = (α/r)·W₁ ⊗ W₂, where a factor that is large is a product of rank r itself
/// (LoKr, Yeh et al., arXiv 2309.14859).
///
/// @param rank r
/// @param alpha α
/// @param decomposeBoth whether W₁ may be a product too
/// @param factor the extent of W₁, as near as the layer's extents allow; −1 for as square as they allow
/// @param seed of the initial factors; W₁, or its first factor, begins at zero
/// @param dropout what is left out while training
public record Lokr(
        int rank, double alpha, boolean decomposeBoth, int factor, long seed, DeltaDropout dropout)
        implements AdapterMethod {
    static final String PEFT_TYPE = "LOKR";

    /// Checks the ranges.
    public Lokr {
        Lycoris.requireRange("lokr", rank, alpha);
        if (factor == 0 || factor < -1) {
            throw new PanagradException(
                    "lokr", "out of range", "factor " + factor, ">= 1 or -1", "");
        }
    }

    /// Starts with a rank and an alpha of the same size.
    public static Lokr rank(int rank) {
        return new Lokr(rank, rank, false, -1, 0, DeltaDropout.NONE);
    }

    /// Sets α.
    public Lokr alpha(double value) {
        return new Lokr(rank, value, decomposeBoth, factor, seed, dropout);
    }

    /// Makes W₁ a product too where it is large.
    public Lokr decomposeBoth(boolean on) {
        return new Lokr(rank, alpha, on, factor, seed, dropout);
    }

    /// Sets the extent of W₁.
    public Lokr factor(int extent) {
        return new Lokr(rank, alpha, decomposeBoth, extent, seed, dropout);
    }

    /// Sets the seed of the initial factors.
    public Lokr seed(long value) {
        return new Lokr(rank, alpha, decomposeBoth, factor, value, dropout);
    }

    /// Sets what is left out while training.
    public Lokr dropout(DeltaDropout value) {
        return new Lokr(rank, alpha, decomposeBoth, factor, seed, value);
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        Rng rng = Rng.of(seed);
        return Parts.ofLinear(targets, layer -> new Factors(this, layer, rng));
    }

    /// Splits an extent in two factors, the smaller first: `wanted` if it divides, else the most even
    /// pair whose first is at most `wanted`.
    static int smallerFactor(int extent, int wanted) {
        if (wanted > 0 && extent % wanted == 0) {
            return Math.min(wanted, extent / wanted);
        }
        int most = wanted < 0 ? extent : wanted;
        int best = 1;
        for (int m = 1; (long) m * m <= extent && m <= most; m++) {
            if (extent % m == 0) {
                best = m;
            }
        }
        return best;
    }

    private static final class Factors extends DeltaLayer {
        private final double scale;
        private final int out;
        private final int in;
        private final Parameter first;
        private final @Nullable Parameter firstRight;
        private final Parameter second;
        private final @Nullable Parameter secondRight;

        Factors(Lokr options, Linear base, Rng rng) {
            super(options.dropout);
            int r = options.rank;
            Init kaiming = Init.kaimingUniform(Math.sqrt(5));
            scale = options.alpha / r;
            out = base.out();
            in = base.in();
            int rows = smallerFactor(out, options.factor);
            int columns = smallerFactor(in, options.factor);
            boolean split = options.decomposeBoth && 2 * r < Math.max(rows, columns);
            if (split) {
                first = drawn("lokr_w1_a", Init.zeros(), rng, rows, r);
                firstRight = drawn("lokr_w1_b", kaiming, rng, r, columns);
            } else {
                first = drawn("lokr_w1", Init.zeros(), rng, rows, columns);
                firstRight = null;
            }
            int height = out / rows;
            int width = in / columns;
            if (2 * r < Math.max(height, width)) {
                second = drawn("lokr_w2_a", kaiming, rng, height, r);
                secondRight = drawn("lokr_w2_b", kaiming, rng, r, width);
            } else {
                second = drawn("lokr_w2", kaiming, rng, height, width);
                secondRight = null;
            }
        }

        @Override
        Tensor delta() {
            Tensor a = firstRight == null ? first : first.matmul(firstRight);
            Tensor b = secondRight == null ? second : second.matmul(secondRight);
            Tensor product =
                    a.reshape(a.dim(0), 1, a.dim(1), 1).mul(b.reshape(1, b.dim(0), 1, b.dim(1)));
            return product.reshape(out, in).mul(scale);
        }
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public JsonObject config() {
        return Lycoris.config(rank, alpha, dropout)
                .with("decompose_both", decomposeBoth)
                .with("decompose_factor", factor)
                .with("rank_dropout_scale", dropout.scaled());
    }

    static Lokr read(JsonObject config) {
        return rank(Lycoris.rank(config))
                .alpha(Lycoris.alpha(config))
                .decomposeBoth(config.bool("decompose_both", false))
                .factor(config.integer("decompose_factor", -1))
                .dropout(DeltaDropout.read(config, config.bool("rank_dropout_scale", false)));
    }
}
