package io.github.panagrad.adapters;

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
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import java.util.LinkedHashMap;
import java.util.Map;

/// Vectors on random projections: y = W·x + b ⊙ B·(d ⊙ A·x), with A and B random, frozen and shared by
/// all layers, and b and d trained (VeRA, Kopiczko et al., arXiv 2310.11454).
///
/// @param rank r; high ones cost little to train, 256 is usual
/// @param initialD what d begins with; b begins with zero
/// @param seed of A and B, which are saved too
public record Vera(int rank, double initialD, long seed) implements AdapterMethod {
    static final String PEFT_TYPE = "VERA";

    /// Checks the ranges.
    public Vera {
        if (rank < 1 || !Double.isFinite(initialD)) {
            throw new PanagradException(
                    "vera", "out of range", "rank " + rank + ", d " + initialD, "rank >= 1", "");
        }
    }

    /// Starts with a rank and d = 0.1.
    public static Vera rank(int rank) {
        return new Vera(rank, 0.1, 0);
    }

    /// Sets what d begins with.
    public Vera initialD(double value) {
        return new Vera(rank, value, seed);
    }

    /// Sets the seed of A and B.
    public Vera seed(long value) {
        return new Vera(rank, initialD, value);
    }

    /// The projections, as wide as the widest layer needs them.
    private static final class Projections extends Module {
        private final Parameter a;
        private final Parameter b;

        Projections(int rank, int in, int out, Rng rng) {
            Init kaiming = Init.kaimingUniform(0);
            a = parameter("vera_A", kaiming.draw(Shape.of(rank, in), rng)).trainable(false);
            b = parameter("vera_B", kaiming.draw(Shape.of(out, rank), rng)).trainable(false);
        }
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        int in = 0;
        int out = 0;
        for (Layer layer : targets.values()) {
            in = Math.max(in, ((Linear) layer).in());
            out = Math.max(out, ((Linear) layer).out());
        }
        Rng rng = Rng.of(seed);
        var projections = new Projections(rank, in, out, rng);
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach((path, layer) ->
                layers.put(path, new Vectors(this, projections, (Linear) layer, rng)));
        return new Parts(layers, projections);
    }

    private static final class Vectors extends LayerAdapter {
        private final Projections projections;
        private final int in;
        private final int out;
        private final Parameter b;
        private final Parameter d;

        Vectors(Vera options, Projections projections, Linear base, Rng rng) {
            this.projections = projections;
            in = base.in();
            out = base.out();
            b = parameter("vera_lambda_b", Init.zeros().draw(Shape.of(out), rng));
            Init same = Init.constant(options.initialD);
            d = parameter("vera_lambda_d", same.draw(Shape.of(options.rank), rng));
        }

        private Tensor down() {
            return projections.a.narrow(1, 0, in);
        }

        private Tensor up() {
            return projections.b.narrow(0, 0, out);
        }

        @Override
        protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
            Tensor narrow = Ops.linear(x, down(), null).mul(d);
            return inner.apply(x).add(Ops.linear(narrow, up(), null).mul(b));
        }

        @Override
        protected Tensor mergedWeight(Tensor weight) {
            Tensor left = up().mul(b.reshape(out, 1));
            return weight.add(left.matmul(down().mul(d.reshape(d.dim(0), 1))));
        }
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public JsonObject config() {
        return JsonObject.of(
                "r",
                rank,
                "d_initial",
                initialD,
                "projection_prng_key",
                seed,
                "save_projection",
                true,
                "vera_dropout",
                0.0,
                "fan_in_fan_out",
                false,
                "bias",
                "none",
                "init_weights",
                true);
    }

    static Vera read(JsonObject config) {
        PeftFiles.requireNone(config, "bias", "trained biases are not supported");
        if (!config.bool("save_projection", true)) {
            throw config.error(
                    "save_projection",
                    "the file lacks the projections, which only PyTorch's generator can draw again",
                    "true",
                    "save it again with save_projection=True");
        }
        return rank(config.integer("r", 256)).initialD(config.number("d_initial", 0.1));
    }
}
