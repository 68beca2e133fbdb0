package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.ground.DType;
import java.util.Arrays;

/// What both sides of a comparison compute, with its inputs.
public sealed interface Problem {
    /// C = op(A)·op(B), op(A) m × k, op(B) k × n.
    ///
    /// @param transA whether A is stored k × m
    /// @param transB whether B is stored n × k
    record Sgemm(boolean transA, boolean transB, int m, int n, int k) implements Problem {
        /// Returns NN, NT or TN.
        public String form() {
            return (transA ? "T" : "N") + (transB ? "T" : "N");
        }
    }

    /// A row times a transposed matrix whose weights are stored in some type.
    record MatVec(DType type, int rows, int columns) implements Problem {}

    /// Mean cross-entropy of a linear head with the gradients of both inputs.
    record Head(int tokens, int vocabulary, int width) implements Problem {
        /// Draws the hidden states.
        public float[] hidden() {
            return Inputs.normal("hidden", tokens * width);
        }

        /// Draws the weight, which makes logits of about one.
        public float[] weight() {
            return Inputs.scaled("weight", vocabulary * width, 1 / Math.sqrt(width));
        }

        /// Draws the targets.
        public int[] targets() {
            return Inputs.whole("targets", tokens, vocabulary);
        }

        /// Returns the bytes of the two gradients, which are wanted and so no extra memory.
        public long gradientBytes() {
            return 4L * width * (tokens + vocabulary);
        }
    }

    /// Causal attention with the gradients of queries, keys and values, each (B, T, H, D).
    record Attend(int batch, int tokens, int heads, int channels) implements Problem {
        /// Returns how many numbers each input has.
        public int size() {
            return batch * tokens * heads * channels;
        }

        /// Returns the shape of each input.
        public int[] shape() {
            return new int[] {batch, tokens, heads, channels};
        }
    }

    /// A function of rows or elements with the gradients of all inputs.
    record Rows(Function function, int rows, int width) implements Problem {
        /// Tokens of a sequence, for [Function#ROPE].
        public static final int ROPE_TOKENS = 256;

        /// Channels of a head, for [Function#ROPE].
        public static final int ROPE_CHANNELS = 64;

        /// Returns the shape: (rows, width), or (B, T, H, D) for rotary positions.
        public int[] shape() {
            return function == Function.ROPE
                    ? new int[] {
                        rows / ROPE_TOKENS, ROPE_TOKENS, width / ROPE_CHANNELS, ROPE_CHANNELS
                    }
                    : new int[] {rows, width};
        }
    }

    /// The functions of [Rows].
    enum Function {
        /// Root-mean-square norm with a weight.
        RMS_NORM("rmsNorm"),
        /// Layer norm with weight and bias.
        LAYER_NORM("layerNorm"),
        /// silu(gate)·up.
        SWIGLU("swiglu"),
        /// Rotary positions, rotate-half.
        ROPE("rope"),
        /// Softmax over a row.
        SOFTMAX("softmax"),
        /// The exact GELU.
        GELU("gelu"),
        /// GELU by tanh.
        GELU_TANH("geluTanh"),
        /// x·σ(x).
        SILU("silu");

        private final String label;

        Function(String label) {
            this.label = label;
        }

        /// Returns the name in tables.
        public String label() {
            return label;
        }
    }

    /// One AdamW step on all parameters of a model, given their gradients.
    record Update(Llama model) implements Problem {
        /// The learning rate.
        public static final double LR = 1e-4;
    }

    /// A training step: forward, backward, clipping, AdamW.
    ///
    /// @param rank of the LoRA detours on all linear layers of the blocks; 0 trains everything
    record Step(Llama model, int batch, int tokens, int rank) implements Problem {
        /// The learning rate.
        public static final double LR = 1e-4;

        /// The norm that gradients are clipped to.
        public static final double MAX_NORM = 1;

        /// What detours are multiplied by.
        public static final double LORA_SCALE = 2;

        /// Draws the tokens, row after row.
        public int[] ids() {
            return Inputs.whole("ids", batch * tokens, model.vocabulary());
        }

        /// Returns what each token predicts: the next one, −100 at the end of a row.
        public int[] targets() {
            int[] ids = ids();
            int[] targets = new int[ids.length];
            for (int i = 0; i < ids.length; i++) {
                targets[i] = (i + 1) % tokens == 0 ? -100 : ids[i + 1];
            }
            return targets;
        }
    }

    /// Greedy decoding with a key-value cache, one sequence.
    record Decode(Llama model, int prompt, int tokens) implements Problem {
        /// Draws the prompt.
        public int[] promptIds() {
            return Inputs.whole("prompt", prompt, model.vocabulary());
        }
    }

    /// Returns a shape as 64-bit numbers.
    static long[] wide(int... shape) {
        return Arrays.stream(shape).asLongStream().toArray();
    }
}
