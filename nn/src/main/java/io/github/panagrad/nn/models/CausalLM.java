package io.github.panagrad.nn.models;

import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.losses.CrossEntropyOptions;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.ParamTable;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.LlamaConfig;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.layers.Linear;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A language model of the Llama family: llama, mistral, qwen2 and qwen3 as `config.json` says.
///
/// ```java
/// var model = CausalLM.load(Path.of("SmolLM2-135M"));
/// model.generate("Once upon a time", Sampling.greedy(), System.out::print);
/// ```
public final class CausalLM extends Module {
    /// Where interceptors find the batch that is being computed, with the tags of its rows.
    public static final Context.Key<Batch> BATCH = new Context.Key<>("batch");

    private static final ParamTable TABLE =
            ParamTable.blocksAt("**.layers")
                    .with(ParamCategory.BIAS, "**.bias")
                    .with(ParamCategory.EMBED, "**.embed_tokens.weight")
                    .with(ParamCategory.HEAD, "lm_head.weight")
                    .with(ParamCategory.ATTN_Q, "**.self_attn.q_proj.weight")
                    .with(ParamCategory.ATTN_K, "**.self_attn.k_proj.weight")
                    .with(ParamCategory.ATTN_V, "**.self_attn.v_proj.weight")
                    .with(ParamCategory.ATTN_O, "**.self_attn.o_proj.weight")
                    .with(ParamCategory.MLP_GATE, "**.mlp.gate_proj.weight")
                    .with(ParamCategory.MLP_UP, "**.mlp.up_proj.weight")
                    .with(ParamCategory.MLP_DOWN, "**.mlp.down_proj.weight")
                    .with(ParamCategory.NORM, "**.{*norm,*layernorm}.weight");

    private final LlamaConfig config;
    private final Decoder decoder;
    private final Linear head;
    private final Rng rng = Rng.of(0);
    private boolean recompute;
    private @Nullable Tokenizer tokenizer;

    private CausalLM(LlamaConfig config, Init init, Rng rng) {
        this.config = config;
        this.decoder = register("model", new Decoder(config, init, rng));
        this.head =
                register(
                        "lm_head",
                        config.tieEmbeddings()
                                ? Linear.tied(decoder.embedding().weight())
                                : new Linear(
                                        config.hiddenSize(), config.vocabSize(), false, init, rng));
    }

    /// Loads a model from a folder with `config.json`, safetensors and, if there, `tokenizer.json`.
    ///
    /// Weights stay in the dtype of their file: F32 can be trained at once, BF16 and F16 are mapped
    /// and frozen until [#to] widens them.
    ///
    /// @throws PanagradException if a file is missing or broken, the weights are not those of the
    ///     config, or the tokenizer has ids that the embedding lacks
    public static CausalLM load(Path folder) {
        var model = new CausalLM(config(ModelConfig.read(folder)), Init.UNSET, Rng.of(0));
        var weights = new LinkedHashMap<>(TensorFiles.read(folder));
        weights.keySet().removeIf(name -> name.endsWith(".rotary_emb.inv_freq"));
        ModelFiles.bind(model, folder, weights);
        if (Files.exists(folder.resolve("tokenizer.json"))) {
            model.tokenizer(Tokenizer.load(folder));
        }
        return model;
    }

    /// Creates a model with random weights, for pre-training: normal with the config's deviation.
    ///
    /// @throws PanagradException if the config is of another family
    public static CausalLM create(ModelConfig config, long seed) {
        return new CausalLM(
                config(config), Init.normal(0, config.initializerRange()), Rng.of(seed));
    }

    private static LlamaConfig config(ModelConfig config) {
        if (config instanceof LlamaConfig llama) {
            return llama;
        }
        throw new PanagradException(
                "model",
                "not a causal language model",
                "model_type " + config.modelType(),
                "llama, mistral, qwen2 or qwen3",
                "encoders are loaded by BertModel.load");
    }

    /// Returns the configuration.
    public LlamaConfig config() {
        return config;
    }

    /// Returns the tokenizer.
    ///
    /// @throws PanagradException if the model has none
    public Tokenizer tokenizer() {
        if (tokenizer == null) {
            throw new PanagradException(
                    "model", "has no tokenizer", "", "tokenizer.json beside config.json", "");
        }
        return tokenizer;
    }

    /// Returns a second model over the same memory, all of it frozen: what a teacher or a reference
    /// policy is, as long as this one does not train in place.
    public CausalLM twin() {
        var twin = new CausalLM(config, Init.UNSET, Rng.of(0));
        twin.bind(stateDict());
        twin.freeze();
        twin.tokenizer = tokenizer;
        return twin;
    }

    /// Sets the tokenizer.
    ///
    /// @throws PanagradException if it has more ids than the embedding has rows
    public void tokenizer(Tokenizer other) {
        other.requireFits(config.vocabSize(), "model");
        tokenizer = other;
    }

    /// Recomputes each layer in backward instead of keeping its activations: less memory, about a
    /// third more work.
    public void checkpointing(boolean on) {
        recompute = on;
    }

    /// Returns all parameters with category and block.
    public ParamSelection selection() {
        return ParamSelection.of(this, TABLE);
    }

    // Forward

    /// Computes the last hidden state of whole sequences. Shapes: ids I32 (B, T) or (T) → (B, T,
    /// C).
    public Tensor hidden(Tensor ids) {
        return hidden(ids, null, Context.of(rng));
    }

    /// Computes the last hidden state of a batch; packed sequences do not see each other.
    ///
    /// Shapes: ids (B, T) → (B, T, C).
    public Tensor hidden(Batch batch) {
        return hidden(batch, Context.of(rng));
    }

    /// Computes the last hidden state of a batch; packed sequences do not see each other.
    ///
    /// Shapes: ids (B, T) → (B, T, C).
    ///
    /// @param context what goes along to all layers; the batch itself is added under [#BATCH]
    /// @throws PanagradException if a sequence is longer than the model's context
    public Tensor hidden(Batch batch, Context context) {
        batch.sequences().forEach(s -> requirePositions(s.length()));
        Device device = device();
        Tensor positions = rows(batch.positions(), batch).to(device);
        AttentionOptions attention = AttentionOptions.causal();
        if (batch.isPacked()) {
            attention = attention.segments(rows(batch.segments(), batch).to(device));
        }
        // Padding stands behind the tokens, where causal attention does not look.
        return hidden(
                rows(batch.ids(), batch).to(device),
                new Sequence(positions, attention, null),
                context.with(BATCH, batch));
    }

    private static Tensor rows(int[] values, Batch batch) {
        return Ops.indices(values, batch.size(), batch.length());
    }

    /// Computes the mean cross-entropy of a batch's next tokens, in nats; 0 if all labels are ignored.
    /// Shapes: → ().
    public Tensor loss(Batch batch) {
        return loss(hidden(batch), batch, HeadOptions.DEFAULT, Reduction.MEAN);
    }

    /// Computes the cross-entropy of a batch's next tokens from its hidden states, in nats.
    ///
    /// Logits are built only where an interceptor on `lm_head` does more than to change its weight, and
    /// then options other than the
    /// defaults are refused. Shapes: hidden (B, T, C) → ().
    ///
    /// @param reduction the mean or the sum
    public Tensor loss(Tensor hidden, Batch batch, HeadOptions options, Reduction reduction) {
        Tensor targets = rows(batch.targets(), batch);
        Tensor weight = head.effectiveWeight();
        if (weight != null) {
            return Losses.linearCrossEntropy(hidden, weight, targets, options, reduction).loss();
        }
        if (!options.equals(HeadOptions.DEFAULT)) {
            throw new PanagradException(
                    "model",
                    "lm_head is intercepted, and only the plain loss goes through it",
                    options.toString(),
                    "HeadOptions.DEFAULT",
                    "");
        }
        return Losses.crossEntropy(
                logits(hidden), targets, CrossEntropyOptions.DEFAULT.reduction(reduction));
    }

    /// Computes the last hidden state, nothing after a position being seen from it.
    ///
    /// Shapes: ids I32 (B, T) or (T), of the model's device or the host's → (B, T, C).
    ///
    /// @param sequence positions, masks and cache; null for whole sequences from position 0
    /// @param context what goes along to all layers
    /// @throws PanagradException if there are more tokens than the model has positions
    public Tensor hidden(Tensor ids, @Nullable Sequence sequence, Context context) {
        Tensor rows = ids.rank() == 1 ? ids.reshape(1, ids.dim(0)) : ids;
        if (rows.rank() != 2) {
            throw new ShapeException(
                    "model", "ids do not fit", ids.spec().toString(), "i32[B,T] or i32[T]", "");
        }
        int count = rows.dim(1);
        Sequence used = sequence;
        if (used == null) {
            requirePositions(count);
            used = new Sequence(positions(0, count), AttentionOptions.causal(), null);
        }
        return decoder.hidden(
                rows.to(device()), context.branch().with(Sequence.KEY, used), recompute);
    }

    private void requirePositions(int count) {
        if (count > config.maxPositions()) {
            throw new PanagradException(
                    "model",
                    "the sequence is longer than the model's context",
                    count + " tokens",
                    "at most " + config.maxPositions(),
                    "cut it, or choose a shorter sequence length");
        }
    }

    private Tensor positions(int from, int count) {
        return Ops.indices(IntStream.range(from, from + count).toArray(), count).to(device());
    }

    /// Returns where the weights lie, and the work is done.
    public Device device() {
        return decoder.embedding().weight().device();
    }

    /// Returns the weight that turns hidden states into logits, for losses that never build these,
    /// with what interceptors change of it.
    ///
    /// Shapes: (V, C).
    ///
    /// @throws PanagradException if an interceptor on `lm_head` does more than to change the weight,
    ///     which such a loss would pass by
    public Tensor head() {
        Tensor weight = head.effectiveWeight();
        if (weight == null) {
            throw new PanagradException(
                    "model",
                    "lm_head is intercepted, and a fused head would pass that by",
                    "",
                    "",
                    "compute the loss from logits(hidden), or detach what is on lm_head");
        }
        return weight;
    }

    /// Turns hidden states into logits. Shapes: (…, C) → (…, V).
    public Tensor logits(Tensor hidden) {
        return head.call(hidden);
    }

    // Generation

    /// Creates an empty cache for one sequence.
    ///
    /// @param capacity how many tokens it will hold at most
    public KvCache cache(int capacity) {
        requirePositions(capacity);
        Parameter like = decoder.embedding().weight();
        return new KvCache(
                config.layers(),
                config.kvHeads(),
                config.headDim(),
                capacity,
                like.dtype().widened(),
                like.device());
    }

    /// Computes the last hidden states of the tokens that follow those in the cache, and adds them
    /// to it.
    ///
    /// Not recorded for backward. Shapes: ids I32 (T) → (1, T, C).
    public Tensor hidden(Tensor ids, KvCache cache) {
        int count = ids.dim(-1);
        requirePositions(cache.length() + count);
        var sequence =
                new Sequence(positions(cache.length(), count), AttentionOptions.causal(), cache);
        Tensor h = Ops.noGrad(() -> hidden(ids, sequence, Context.of(rng)));
        cache.advance(count);
        return h;
    }

    /// Continues a text and gives it out piece by piece.
    ///
    /// @return the continuation
    /// @throws PanagradException if the model has no tokenizer, or the prompt fills its context
    public String generate(String prompt, Sampling sampling, Consumer<String> listener) {
        return Generator.text(this, tokenizer(), prompt, sampling, listener);
    }

    /// Continues a sequence of tokens.
    ///
    /// @param listener called with each token as it is chosen
    /// @return the new tokens
    public int[] generate(int[] prompt, Sampling sampling, IntConsumer listener) {
        return Generator.tokens(this, prompt, sampling, listener);
    }

    // Files

    /// Writes config, weights and tokenizer to a folder, in the layout that [#load] reads.
    ///
    /// Weights of attached modules, such as adapters, are left out.
    public void save(Path folder) {
        ModelFiles.save(this, config.json(), folder);
        if (tokenizer != null) {
            tokenizer.save(folder);
        }
    }

    @Override
    protected String describe() {
        return "CausalLM " + config.modelType();
    }
}
