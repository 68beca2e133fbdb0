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

/// Orthogonal fine-tuning: the input of a linear layer is turned block by block by orthogonal matrices,
/// which Cayley's transform makes of skew-symmetric ones (OFT, Qiu et al., arXiv 2306.07280; turning the
/// input, as OFTv2, arXiv 2506.19847, and PEFT do).
///
/// @param blockSize extent of the blocks; it must divide the inputs of all layers
/// @param neumannTerms terms of the series that stands for the inverse in Cayley's transform, 5 in PEFT;
///     0 for the inverse itself
/// @param shared whether all blocks of a layer are the same
public record Oft(int blockSize, int neumannTerms, boolean shared) implements AdapterMethod {
    static final String PEFT_TYPE = "OFT";

    /// Checks the ranges.
    public Oft {
        if (blockSize < 2 || neumannTerms < 0) {
            throw new PanagradException(
                    "oft",
                    "out of range",
                    "block size " + blockSize + ", terms " + neumannTerms,
                    "block size >= 2, terms >= 0",
                    "");
        }
    }

    /// Starts with blocks of this extent and a series of five terms.
    public static Oft blocks(int size) {
        return new Oft(size, 5, false);
    }

    /// Sets the number of terms; 0 for the inverse itself.
    public Oft neumannTerms(int count) {
        return new Oft(blockSize, count, shared);
    }

    /// Makes all blocks of a layer the same.
    public Oft shared(boolean on) {
        return new Oft(blockSize, neumannTerms, on);
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach((path, layer) -> {
            int in = ((Linear) layer).in();
            if (in % blockSize != 0) {
                throw new PanagradException(
                        "oft",
                        "blocks do not fill the input of " + path,
                        "" + blockSize,
                        "a divisor of " + in,
                        "");
            }
            layers.put(path, new Rotation(this, in));
        });
        return new Parts(layers);
    }

    private static final class Rotation extends LayerAdapter {
        private final Oft options;
        private final int in;
        private final Parameter entries;
        private final int[] places;
        private final double[] signs;

        Rotation(Oft options, int in) {
            this.options = options;
            this.in = in;
            int b = options.blockSize;
            int blocks = options.shared ? 1 : in / b;
            entries =
                    parameter(
                            "oft_R.weight",
                            Init.zeros().draw(Shape.of(blocks, b * (b - 1) / 2), Rng.of(0)));
            places = new int[b * b];
            signs = new double[b * b];
            for (int i = 0, next = 0; i < b; i++) {
                for (int j = i + 1; j < b; j++, next++) {
                    places[i * b + j] = next;
                    places[j * b + i] = next;
                    signs[i * b + j] = 1;
                    signs[j * b + i] = -1;
                }
            }
        }

        /// Lays the entries out as skew-symmetric matrices. Shapes: (blocks, b, b).
        private Tensor skew() {
            int b = options.blockSize;
            Tensor sign =
                    Ops.tensor64(signs, signs.length).to(entries.dtype()).to(entries.device());
            Tensor index = Ops.indices(places, places.length).to(entries.device());
            return entries.indexSelect(1, index).mul(sign).reshape(entries.dim(0), b, b);
        }

        private Tensor rotations() {
            return options.neumannTerms == 0
                    ? Cayley.exact(skew())
                    : Cayley.series(skew(), options.neumannTerms);
        }

        /// Turns rows block by block. Shapes: (…, in) → (…, in).
        private Tensor turn(Tensor x) {
            int b = options.blockSize;
            int blocks = in / b;
            int rows = (int) (x.size() / in);
            Tensor byBlock = x.reshape(rows, blocks, b).transpose(0, 1);
            Tensor r = rotations();
            Tensor all = r.dim(0) == blocks ? r : r.expand(Shape.of(blocks, b, b));
            return byBlock.matmul(all).transpose(0, 1).reshape(x.shape().toArray());
        }

        @Override
        protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
            return inner.apply(turn(x));
        }

        /// x·R·Wᵀ = x·(W·Rᵀ)ᵀ: every row of W is turned back.
        @Override
        protected Tensor mergedWeight(Tensor weight) {
            int b = options.blockSize;
            int blocks = in / b;
            Tensor byBlock = weight.reshape(weight.dim(0), blocks, b).transpose(0, 1);
            Tensor r = rotations();
            Tensor all = r.dim(0) == blocks ? r : r.expand(Shape.of(blocks, b, b));
            Tensor turned = byBlock.matmul(all.transpose(1, 2));
            return turned.transpose(0, 1).reshape(weight.dim(0), in);
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
                0,
                "oft_block_size",
                blockSize,
                "module_dropout",
                0.0,
                "coft",
                false,
                "eps",
                6e-5,
                "block_share",
                shared,
                "use_cayley_neumann",
                neumannTerms > 0,
                "num_cayley_neumann_terms",
                neumannTerms > 0 ? neumannTerms : 5,
                "bias",
                "none",
                "fan_in_fan_out",
                false,
                "init_weights",
                true);
    }

    static Oft read(JsonObject config) {
        PeftFiles.requireNone(config, "bias", "trained biases are not supported");
        if (config.bool("coft", false)) {
            throw config.error("coft", "constrained rotations are not supported", "false", "");
        }
        int size = config.integer("oft_block_size", 0);
        if (size == 0) {
            throw config.error(
                    "oft_block_size", "blocks given by their number only", "a block size", "");
        }
        boolean series = config.bool("use_cayley_neumann", false);
        return blocks(size)
                .neumannTerms(series ? config.integer("num_cayley_neumann_terms", 5) : 0)
                .shared(config.bool("block_share", false));
    }
}
