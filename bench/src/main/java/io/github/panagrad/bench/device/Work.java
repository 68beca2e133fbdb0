package io.github.panagrad.bench.device;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/// Something to be timed on a device, and how much it is.
///
/// @param name what the table calls it
/// @param flop floating-point operations of a run
/// @param bytes bytes that a run has to read and write at least
/// @param tokens tokens of a run; 0 for a kernel alone
/// @param prepare puts the operands on a device and returns one run, which does not wait for the device
record Work(
        String name, double flop, double bytes, long tokens, Function<Device, Runnable> prepare) {
    private static final long SEED = 1;

    private static Tensor random(Device device, int... dims) {
        return Ops.randn(dims).to(device).keep();
    }

    private static Tensor ids(Device device, int count, int vocabulary) {
        int[] ids = new Random(SEED).ints(count, 0, vocabulary).toArray();
        return Ops.indices(ids, count).to(device).keep();
    }

    /// Reads and writes each of n floats once: what the memory can do.
    static Work copy(int n) {
        return new Work(
                "scale " + n,
                n,
                8.0 * n,
                0,
                device -> {
                    Tensor x = random(device, n);
                    return () ->
                            Ops.scope(() -> {
                                x.mul(2);
                            });
                });
    }

    /// C = A·B of n × n.
    static Work product(int n) {
        return new Work(
                "matmul " + n,
                2.0 * n * n * n,
                12.0 * n * n,
                0,
                device -> {
                    Tensor a = random(device, n, n);
                    Tensor b = random(device, n, n);
                    return () ->
                            Ops.scope(() -> {
                                a.matmul(b);
                            });
                });
    }

    /// Causal attention of one sequence, forward and backward.
    static Work attention(int tokens, int heads, int channels) {
        double pairs = 0.5 * tokens * tokens * heads;
        return new Work(
                "attention " + tokens,
                // two products forward, five backward
                14 * pairs * channels,
                4.0 * 12 * tokens * heads * channels,
                0,
                device -> {
                    Tensor q = random(device, 1, tokens, heads, channels).requireGrad();
                    Tensor k = random(device, 1, tokens, heads, channels).requireGrad();
                    Tensor v = random(device, 1, tokens, heads, channels).requireGrad();
                    Tensor dy = random(device, 1, tokens, heads, channels);
                    return () ->
                            Ops.scope(() -> {
                                Ops.attention(q, k, v, AttentionOptions.causal()).backward(dy);
                            });
                });
    }

    /// The loss over a vocabulary with the gradients of hidden states and weight.
    static Work head(int tokens, int vocabulary, int width) {
        return new Work(
                "linear cross-entropy " + tokens + " x " + vocabulary + " x " + width,
                6.0 * tokens * vocabulary * width,
                4.0 * (3.0 * vocabulary + 2.0 * tokens) * width,
                tokens,
                device -> {
                    Tensor hidden = random(device, tokens, width).requireGrad();
                    Tensor weight = random(device, vocabulary, width).requireGrad();
                    Tensor targets = ids(device, tokens, vocabulary);
                    return () ->
                            Ops.scope(() -> {
                                Losses.linearCrossEntropy(hidden, weight, targets).backward();
                            });
                });
    }

    /// A training step of a Llama with random weights.
    ///
    /// @param rank of LoRA on all linear layers; 0 for full fine-tuning
    static Work step(Sizes sizes, int rows, int tokens, int rank) {
        double weights = sizes.weights();
        long count = (long) rows * tokens;
        return new Work(
                (rank > 0 ? "LoRA step " : "full step ") + sizes.name(),
                // forward, gradients of activations, and, where weights learn, theirs
                (rank > 0 ? 4 : 6) * weights * count,
                4 * weights * (rank > 0 ? 2 : 10),
                count,
                device -> prepare(device, sizes, rows, tokens, rank));
    }

    private static Runnable prepare(Device device, Sizes sizes, int rows, int tokens, int rank) {
        CausalLM model = CausalLM.create(ModelConfig.of(sizes.config(tokens)), SEED);
        if (rank > 0) {
            Lora.rank(rank).alpha(2 * rank).attach(model, "**.{q,k,v,o,gate,up,down}_proj");
        } else {
            model.unfreeze();
        }
        model.to(device);
        model.training(true);
        AdamW optimizer = AdamW.of(model.trainable()).lr(1e-5);
        var examples = new ArrayList<Example>();
        var random = new Random(SEED);
        for (int row = 0; row < rows; row++) {
            examples.add(Example.of(random.ints(tokens, 0, sizes.vocabulary()).toArray()));
        }
        Batch batch = Batches.of(examples).size(rows).ordered().iterator().next();
        return () ->
                Ops.scope(() -> {
                    Tensor loss = model.loss(batch);
                    Grads grads = loss.backward();
                    double norm = grads.norm();
                    optimizer.step(grads, Math.min(1, 1 / (norm + 1e-6)));
                    return loss.item();
                });
    }

    /// The sizes of a Llama.
    record Sizes(
            String name, int vocabulary, int width, int inner, int layers, int heads, int kvHeads) {
        /// Half a billion parameters.
        static final Sizes HALF_BILLION = new Sizes("0.5B", 32000, 1280, 3456, 20, 20, 4);

        /// A billion parameters.
        static final Sizes BILLION = new Sizes("1B", 32000, 2048, 5632, 18, 32, 8);

        /// What a CPU behind OpenCL can be asked to do.
        static final Sizes TINY = new Sizes("tiny", 2000, 128, 352, 2, 4, 2);

        JsonObject config(int positions) {
            return JsonObject.of(
                    "model_type", "llama",
                    "vocab_size", (long) vocabulary,
                    "hidden_size", (long) width,
                    "intermediate_size", (long) inner,
                    "num_hidden_layers", (long) layers,
                    "num_attention_heads", (long) heads,
                    "num_key_value_heads", (long) kvHeads,
                    "max_position_embeddings", (long) positions,
                    "rms_norm_eps", 1e-5,
                    "tie_word_embeddings", true);
        }

        double weights() {
            double attention = 2.0 * width * width * (1 + (double) kvHeads / heads);
            return (double) vocabulary * width + layers * (attention + 3.0 * width * inner);
        }
    }

    /// Returns what is measured, from small to large.
    static List<Work> all(boolean small) {
        if (small) {
            return List.of(
                    copy(1 << 20),
                    product(256),
                    attention(256, 4, 32),
                    head(256, 2000, 64),
                    step(Sizes.TINY, 2, 64, 8),
                    step(Sizes.TINY, 2, 64, 0));
        }
        return List.of(
                copy(1 << 26),
                product(4096),
                attention(4096, 32, 64),
                head(8192, 128256, 2048),
                step(Sizes.HALF_BILLION, 4, 1024, 8),
                step(Sizes.HALF_BILLION, 4, 512, 0),
                step(Sizes.BILLION, 2, 1024, 8),
                step(Sizes.BILLION, 2, 512, 0));
    }
}
