package io.github.panagrad.bench.peers;

/// What both sides of a comparison compute, by its sizes; the inputs come from [Inputs].
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

    /// Mean cross-entropy of a linear head with the gradients of both inputs.
    record Head(int tokens, int vocabulary, int width) implements Problem {}

    /// Causal attention with the gradients of queries, keys and values.
    record Attend(int batch, int tokens, int heads, int channels) implements Problem {}

    /// A function over the rows of a matrix, or over its elements, with the gradients of all inputs.
    record Rows(Function function, int rows, int width) implements Problem {}

    /// The functions of [Rows].
    enum Function {
        /// Root-mean-square norm with a weight.
        RMS_NORM("rmsNorm"),
        /// Layer norm with weight and bias.
        LAYER_NORM("layerNorm"),
        /// silu(gate)·up.
        SWIGLU("swiglu"),
        /// Rotary positions, rotate-half, of rows of heads of 64 channels.
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

    /// One AdamW step on all parameters of a model.
    record Update(Llama model) implements Problem {}

    /// A training step: forward, backward, clipping to norm 1, AdamW.
    ///
    /// @param rank of the LoRA detours on all linear layers of the blocks; 0 trains everything
    record Step(Llama model, int batch, int tokens, int rank) implements Problem {}

    /// Greedy decoding with a key-value cache, one sequence.
    record Decode(Llama model, int prompt, int tokens) implements Problem {}
}
