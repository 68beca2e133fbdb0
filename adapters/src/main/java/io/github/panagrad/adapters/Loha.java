package io.github.panagrad.adapters;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import java.util.Map;

/// Low-rank Hadamard products: ΔW = (α/r)·(A₁·B₁) ⊙ (A₂·B₂), of rank up to r² (FedPara, Hyeon-Woo et al.,
/// arXiv 2108.06098; known as LoHa from LyCORIS).
///
/// @param rank r
/// @param alpha α
/// @param seed of the initial factors; A₂ begins at zero
/// @param dropout what is left out while training
public record Loha(int rank, double alpha, long seed, DeltaDropout dropout)
        implements AdapterMethod {
    static final String PEFT_TYPE = "LOHA";

    /// Checks the ranges.
    public Loha {
        Lycoris.requireRange("loha", rank, alpha);
    }

    /// Starts with a rank and an alpha of the same size.
    public static Loha rank(int rank) {
        return new Loha(rank, rank, 0, DeltaDropout.NONE);
    }

    /// Sets α.
    public Loha alpha(double value) {
        return new Loha(rank, value, seed, dropout);
    }

    /// Sets the seed of the initial factors.
    public Loha seed(long value) {
        return new Loha(rank, alpha, value, dropout);
    }

    /// Sets how likely rows of ΔW, and all of it, are left out while training.
    public Loha dropout(double rows, double whole) {
        return new Loha(rank, alpha, seed, new DeltaDropout(rows, whole, true));
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        Rng rng = Rng.of(seed);
        return Parts.ofLinear(targets, layer -> new Factors(this, layer, rng));
    }

    private static final class Factors extends DeltaLayer {
        private final double scale;
        private final Parameter firstLeft;
        private final Parameter firstRight;
        private final Parameter secondLeft;
        private final Parameter secondRight;

        Factors(Loha options, Linear base, Rng rng) {
            super(options.dropout);
            int r = options.rank;
            Init kaiming = Init.kaimingUniform(Math.sqrt(5));
            scale = options.alpha / r;
            firstLeft = drawn("hada_w1_a", kaiming, rng, base.out(), r);
            firstRight = drawn("hada_w1_b", kaiming, rng, r, base.in());
            secondLeft = drawn("hada_w2_a", Init.zeros(), rng, base.out(), r);
            secondRight = drawn("hada_w2_b", kaiming, rng, r, base.in());
        }

        @Override
        Tensor delta() {
            return firstLeft.matmul(firstRight).mul(secondLeft.matmul(secondRight)).mul(scale);
        }
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public JsonObject config() {
        return Lycoris.config(rank, alpha, dropout);
    }

    static Loha read(JsonObject config) {
        int rank = Lycoris.rank(config);
        if (config.get("init_weights") instanceof String
                || Boolean.TRUE.equals(config.get("use_khatri_rao"))
                || (config.get("r2") != null && config.integer("r2") != rank)) {
            throw config.error(
                    "init_weights",
                    "products of two ranks and scales (ABBA) are not supported",
                    "true, without r2 and use_khatri_rao",
                    "");
        }
        return new Loha(rank, Lycoris.alpha(config), 0, DeltaDropout.read(config, true));
    }
}
