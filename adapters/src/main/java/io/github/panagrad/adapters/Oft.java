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
/// @param bound how far a layer may turn from where it was, as the constrained variant of the paper has
///     it and PEFT's `eps` gives it: each of n skew-symmetric matrices has a norm of at most bound/√n; 0
///     for no bound
/// @param dropout the share of a layer's blocks that turn nothing in a training pass, PEFT's
///     `module_dropout`
public record Oft(int blockSize, int neumannTerms, boolean shared, double bound, double dropout)
        implements AdapterMethod {
    static final String PEFT_TYPE = "OFT";
    private static final double USUAL_BOUND = 6e-5;

    /// Checks the ranges.
    public Oft {
        if (blockSize < 2 || neumannTerms < 0 || !(bound >= 0 && dropout >= 0 && dropout < 1)) {
            throw new PanagradException(
                    "oft",
                    "out of range",
                    "block size "
                            + blockSize
                            + ", terms "
                            + neumannTerms
                            + ", bound "
                            + bound
                            + ", dropout "
                            + dropout,
                    "block size >= 2, terms >= 0, bound >= 0, dropout in [0, 1)",
                    "");
        }
    }

    /// Starts with blocks of this extent and a series of five terms.
    public static Oft blocks(int size) {
        return new Oft(size, 5, false, 0, 0);
    }

    /// Sets the number of terms; 0 for the inverse itself.
    public Oft neumannTerms(int count) {
        return new Oft(blockSize, count, shared, bound, dropout);
    }

    /// Makes all blocks of a layer the same.
    public Oft shared(boolean on) {
        return new Oft(blockSize, neumannTerms, on, bound, dropout);
    }

    /// Bounds how far a layer may turn; 0 for no bound.
    public Oft bound(double most) {
        return new Oft(blockSize, neumannTerms, shared, most, dropout);
    }

    /// Sets the share of blocks that turn nothing in a training pass.
    public Oft dropout(double share) {
        return new Oft(blockSize, neumannTerms, shared, bound, share);
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
        private static final double ROUNDING = 1e-5;

        private final Oft options;
        private final int in;
        private final double limit;
        private final Parameter entries;
        private final int[] places;
        private final double[] signs;

        Rotation(Oft options, int in) {
            this.options = options;
            this.in = in;
            int b = options.blockSize;
            int blocks = options.shared ? 1 : in / b;
            limit = options.bound / Math.sqrt(blocks);
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

        /// Shortens matrices that are too long. In training the parameter itself is changed, so that
        /// steps go on from the bound, as in projected gradient descent.
        private Tensor bounded(boolean isTraining) {
            double[] values = entries.toDoubles();
            if (options.bound == 0 || !shorten(values)) {
                return entries;
            }
            Tensor shorter =
                    Ops.tensor64(values, entries.shape().toArray())
                            .to(entries.dtype())
                            .to(entries.device());
            if (!isTraining) {
                // The value of one with the gradient of the other, as if the parameter had changed.
                return entries.sub(entries.detach()).add(shorter);
            }
            entries.assign(shorter);
            return entries;
        }

        /// Shortens matrices, whose norms are √2 times those of their entries above the diagonal.
        /// Returns whether there was one to shorten.
        private boolean shorten(double[] values) {
            int length = entries.dim(1);
            boolean any = false;
            for (int from = 0; from < values.length; from += length) {
                double squares = 0;
                for (int i = from; i < from + length; i++) {
                    squares += 2 * values[i] * values[i];
                }
                // What was shortened before and rounded stays: a layer that is recomputed for
                // backward
                // must not change its parameter.
                if (Math.sqrt(squares) > limit * (1 + ROUNDING)) {
                    any = true;
                    for (int i = from; i < from + length; i++) {
                        values[i] *= limit / Math.sqrt(squares);
                    }
                }
            }
            return any;
        }

        /// Lays the entries out as skew-symmetric matrices. Shapes: (blocks, b, b).
        private Tensor skew(Tensor entries) {
            int b = options.blockSize;
            Tensor sign =
                    Ops.tensor64(signs, signs.length).to(entries.dtype()).to(entries.device());
            Tensor index = Ops.indices(places, places.length).to(entries.device());
            return entries.indexSelect(1, index).mul(sign).reshape(entries.dim(0), b, b);
        }

        private Tensor rotations(boolean isTraining) {
            Tensor skew = skew(bounded(isTraining));
            return options.neumannTerms == 0
                    ? Cayley.exact(skew)
                    : Cayley.series(skew, options.neumannTerms);
        }

        /// Puts the identity in place of some blocks; blocks that are all the same stay.
        private Tensor thinned(Tensor rotations, Context context) {
            int blocks = rotations.dim(0);
            int dropped = (int) (options.dropout * blocks);
            if (blocks == 1 || dropped == 0) {
                return rotations;
            }
            int[] order = context.rng().draw().permutation(blocks);
            double[] kept = new double[blocks];
            for (int i = dropped; i < blocks; i++) {
                kept[order[i]] = 1;
            }
            Tensor keep =
                    Ops.tensor64(kept, blocks, 1, 1).to(rotations.dtype()).to(rotations.device());
            Tensor identity =
                    Ops.eye(options.blockSize).to(rotations.dtype()).to(rotations.device());
            return rotations.sub(identity).mul(keep).add(identity);
        }

        /// Turns rows block by block. Shapes: (…, in) → (…, in).
        private Tensor turn(Tensor x, Tensor r) {
            int b = options.blockSize;
            int blocks = in / b;
            int rows = (int) (x.size() / in);
            Tensor byBlock = x.reshape(rows, blocks, b).transpose(0, 1);
            Tensor all = r.dim(0) == blocks ? r : r.expand(Shape.of(blocks, b, b));
            return byBlock.matmul(all).transpose(0, 1).reshape(x.shape().toArray());
        }

        @Override
        protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
            Tensor r = rotations(layer.isTraining());
            return inner.apply(turn(x, layer.isTraining() ? thinned(r, context) : r));
        }

        /// x·R·Wᵀ = x·(W·Rᵀ)ᵀ: every row of W is turned back.
        @Override
        protected Tensor mergedWeight(Tensor weight) {
            int b = options.blockSize;
            int blocks = in / b;
            Tensor byBlock = weight.reshape(weight.dim(0), blocks, b).transpose(0, 1);
            Tensor r = rotations(false);
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
                dropout,
                "coft",
                bound > 0,
                "eps",
                bound > 0 ? bound : USUAL_BOUND,
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
        int size = config.integer("oft_block_size", 0);
        if (size == 0) {
            throw config.error(
                    "oft_block_size", "blocks given by their number only", "a block size", "");
        }
        boolean series = config.bool("use_cayley_neumann", false);
        return blocks(size)
                .neumannTerms(series ? config.integer("num_cayley_neumann_terms", 5) : 0)
                .shared(config.bool("block_share", false))
                .bound(config.bool("coft", false) ? config.number("eps", USUAL_BOUND) : 0)
                .dropout(config.number("module_dropout", 0));
    }
}
