package io.github.panagrad.nn.models;

import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Scope;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ModuleList;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.ParamTable;
import io.github.panagrad.nn.io.BertConfig;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.layers.Dropout;
import io.github.panagrad.nn.layers.Embedding;
import io.github.panagrad.nn.layers.LayerNorm;
import io.github.panagrad.nn.layers.Linear;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A BERT encoder: hidden states for every token, each seeing all others of its row.
///
/// Dropout acts on embeddings and on what blocks add, in training mode; the one that the paper has
/// on attention weights is left out.
public final class BertModel extends Module {
    private static final ParamTable TABLE =
            ParamTable.blocksAt("**.encoder.layer")
                    .with(ParamCategory.HEAD, "classifier.*|**.pooler.dense.*")
                    .with(ParamCategory.BIAS, "**.bias")
                    .with(ParamCategory.EMBED, "**.*_embeddings.weight")
                    .with(ParamCategory.NORM, "**.LayerNorm.weight")
                    .with(ParamCategory.ATTN_Q, "**.attention.self.query.weight")
                    .with(ParamCategory.ATTN_K, "**.attention.self.key.weight")
                    .with(ParamCategory.ATTN_V, "**.attention.self.value.weight")
                    .with(ParamCategory.ATTN_O, "**.attention.output.dense.weight")
                    .with(ParamCategory.MLP_UP, "**.intermediate.dense.weight")
                    .with(ParamCategory.MLP_DOWN, "**.output.dense.weight");

    private final BertConfig config;
    private final Embedding words;
    private final Embedding places;
    private final Embedding types;
    private final LayerNorm norm;
    private final Dropout dropout;
    private final ModuleList<BertLayer> layers;
    private final @Nullable Linear pooler;
    private final Rng rng = Rng.of(0);
    private boolean recompute;

    BertModel(BertConfig config, boolean withPooler, Init init, Rng rng) {
        this.config = config;
        int width = config.hiddenSize();
        words = embedding("word_embeddings", config.vocabSize(), init, rng);
        places = embedding("position_embeddings", config.maxPositions(), init, rng);
        types = embedding("token_type_embeddings", config.typeVocabSize(), init, rng);
        norm = register("embeddings.LayerNorm", new LayerNorm(width, config.layerNormEps()));
        dropout = register("embeddings.dropout", new Dropout(config.hiddenDropout()));
        layers =
                register(
                        "encoder.layer",
                        new ModuleList<>(
                                IntStream.range(0, config.layers())
                                        .mapToObj(i -> new BertLayer(config, init, rng))
                                        .toList()));
        pooler =
                withPooler
                        ? register("pooler.dense", new Linear(width, width, true, init, rng))
                        : null;
    }

    private Embedding embedding(String name, int count, Init init, Rng rng) {
        return register("embeddings." + name, new Embedding(count, config.hiddenSize(), init, rng));
    }

    /// Loads an encoder from a folder with `config.json` and safetensors; a head in the file is
    /// left out.
    ///
    /// Weights stay in the dtype of their file: F32 can be trained at once, BF16 and F16 are mapped
    /// and frozen until [#to] widens them.
    ///
    /// @throws PanagradException if a file is missing or broken, or the weights are not those of
    ///     the config
    public static BertModel load(Path folder) {
        return BertFiles.encoder(folder);
    }

    /// Creates an encoder with random weights: normal with the config's deviation.
    ///
    /// @throws PanagradException if the config is of another family
    public static BertModel create(ModelConfig config, long seed) {
        return new BertModel(
                BertFiles.config(config),
                true,
                Init.normal(0, config.initializerRange()),
                Rng.of(seed));
    }

    /// Returns the configuration.
    public BertConfig config() {
        return config;
    }

    /// Recomputes each layer in backward instead of keeping its activations.
    public void checkpointing(boolean on) {
        recompute = on;
    }

    /// Returns the parameters of a model that has such an encoder, with category and block.
    public static ParamSelection selection(Module model) {
        return ParamSelection.of(model, TABLE);
    }

    /// Returns all parameters with category and block.
    public ParamSelection selection() {
        return selection(this);
    }

    /// Computes the hidden state of every token. Shapes: ids (B, T) → (B, T, C).
    public Tensor hidden(BertInput input) {
        return hidden(input, Context.of(rng));
    }

    /// Computes the hidden state of every token. Shapes: ids (B, T) → (B, T, C).
    ///
    /// @param context what goes along to all layers
    /// @throws PanagradException if there are more tokens than the model has positions
    public Tensor hidden(BertInput input, Context context) {
        int count = input.ids().dim(1);
        if (count > config.maxPositions()) {
            throw new PanagradException(
                    "encoder",
                    "the sequence is longer than the model's context",
                    count + " tokens",
                    "at most " + config.maxPositions(),
                    "cut it");
        }
        BertInput here = input.to(words.weight().device());
        Tensor positions =
                Ops.indices(IntStream.range(0, count).toArray(), count).to(here.ids().device());
        var sequence = new Sequence(positions, AttentionOptions.full().keyMask(here.mask()), null);
        Context all = context.branch().with(Sequence.KEY, sequence);
        Tensor h = Scope.scope("embeddings", () -> embedded(here, positions, all));
        for (int i = 0; i < layers.size(); i++) {
            BertLayer layer = layers.get(i);
            Context own = all.fork(i);
            Tensor x = h;
            h =
                    Scope.scope(
                            layer.path(),
                            () ->
                                    recompute
                                            ? Ops.checkpoint(in -> layer.call(in, own.fork(0)), x)
                                            : layer.call(x, own.fork(0)));
        }
        return h;
    }

    private Tensor embedded(BertInput input, Tensor positions, Context context) {
        Tensor typed =
                input.types() == null
                        ? types.weight().narrow(0, 0, 1)
                        : types.call(input.types(), context);
        Tensor sum =
                words.call(input.ids(), context).add(places.call(positions, context)).add(typed);
        return dropout.call(norm.call(sum, context), context);
    }

    /// Turns the first token's hidden state into the row's vector, by the pooler that BERT was
    /// pre-trained with. Shapes: hidden (B, T, C) → (B, C).
    ///
    /// @throws PanagradException if the model has no pooler
    public Tensor pooled(Tensor hidden) {
        if (pooler == null) {
            throw new PanagradException(
                    "encoder: has no pooler; use Pooling.MEAN or another pooling");
        }
        return pooler.call(Pooling.CLS.pool(hidden, hidden)).tanh();
    }

    /// Tells whether there is a pooler.
    public boolean hasPooler() {
        return pooler != null;
    }

    /// Writes config and weights to a folder, in the layout that [#load] reads.
    public void save(Path folder) {
        ModelFiles.save(this, config.json(), folder);
    }

    @Override
    protected String describe() {
        return "BertModel";
    }
}
