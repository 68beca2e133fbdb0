package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.BertConfig;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.layers.Dropout;
import io.github.panagrad.nn.layers.Linear;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An encoder with a linear head that gives a score for every label: of a row, or of each of its
/// tokens.
///
/// ```java
/// var encoder = BertModel.load(folder);
/// encoder.to(DType.F32);
/// encoder.unfreeze();
/// var model = BertClassifier.ofRows(encoder, List.of("negative", "positive"), Pooling.MEAN, seed);
/// Tensor logits = model.logits(input);
/// ```
public final class BertClassifier extends Module implements FeatureClassifier {
    private static final String POOLING = "panagrad_pooling";
    private static final String POOLER = "pooler";
    private static final String TOKENS = "tokens";

    private final BertModel encoder;
    private final Dropout dropout;
    private final Linear classifier;
    private final List<String> labels;
    private final boolean perToken;
    private final @Nullable Pooling pooling;
    private final Rng rng = Rng.of(0);

    private BertClassifier(
            BertModel encoder,
            List<String> labels,
            boolean perToken,
            @Nullable Pooling pooling,
            Init init,
            Rng rng) {
        if (labels.isEmpty()) {
            throw new PanagradException("classifier", "no labels", "", "at least one", "");
        }
        BertConfig config = encoder.config();
        this.encoder = register("bert", encoder);
        this.dropout = register("dropout", new Dropout(config.classifierDropout()));
        this.classifier =
                register(
                        "classifier",
                        new Linear(config.hiddenSize(), labels.size(), true, init, rng));
        this.labels = List.copyOf(labels);
        this.perToken = perToken;
        this.pooling = pooling;
        if (encoder.hasPooler() && (perToken || pooling != null)) {
            freeze(PathPattern.of("bert.pooler"));
        }
    }

    private static BertClassifier fresh(
            BertModel encoder,
            List<String> labels,
            boolean perToken,
            @Nullable Pooling pooling,
            long seed) {
        double std = encoder.config().initializerRange();
        return new BertClassifier(
                encoder, labels, perToken, pooling, Init.normal(0, std), Rng.of(seed));
    }

    /// Puts a new head on an encoder, for rows, behind the pooler that BERT was pre-trained with.
    ///
    /// @throws PanagradException if the encoder has no pooler
    public static BertClassifier ofRows(BertModel encoder, List<String> labels, long seed) {
        if (!encoder.hasPooler()) {
            throw new PanagradException(
                    "classifier: the encoder has no pooler; name a pooling, such as Pooling.MEAN");
        }
        return fresh(encoder, labels, false, null, seed);
    }

    /// Puts a new head on an encoder, for rows. The encoder's own pooler, if any, is frozen.
    public static BertClassifier ofRows(
            BertModel encoder, List<String> labels, Pooling pooling, long seed) {
        return fresh(encoder, labels, false, pooling, seed);
    }

    /// Puts a new head on an encoder, for tokens. The encoder's own pooler, if any, is frozen.
    public static BertClassifier ofTokens(BertModel encoder, List<String> labels, long seed) {
        return fresh(encoder, labels, true, null, seed);
    }

    /// Loads encoder and head from a folder with `config.json`, which names the labels, and
    /// safetensors.
    ///
    /// @throws PanagradException if a file is missing or broken, or the weights are not those of
    ///     the config
    public static BertClassifier load(Path folder) {
        BertConfig config = BertFiles.config(ModelConfig.read(folder));
        Map<String, Tensor> weights = BertFiles.weights(folder);
        String how = config.json().string(POOLING, kind(config.json()));
        var encoder = new BertModel(config, BertFiles.hasPooler(weights), Init.UNSET, Rng.of(0));
        var model =
                new BertClassifier(
                        encoder,
                        config.labels(),
                        how.equals(TOKENS),
                        pooling(config.json(), how),
                        Init.UNSET,
                        Rng.of(0));
        ModelFiles.bind(model, folder, weights);
        return model;
    }

    private static String kind(JsonObject json) {
        return json.has("architectures")
                        && json.strings("architectures").contains("BertForTokenClassification")
                ? TOKENS
                : POOLER;
    }

    private static @Nullable Pooling pooling(JsonObject json, String name) {
        if (name.equals(TOKENS) || name.equals(POOLER)) {
            return null;
        }
        try {
            return Pooling.valueOf(name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw json.error(POOLING, "is not known", "cls, last, mean, max, pooler, tokens", "");
        }
    }

    /// Returns the encoder.
    public BertModel encoder() {
        return encoder;
    }

    @Override
    public List<String> labels() {
        return labels;
    }

    /// Returns all parameters with category and block.
    public ParamSelection selection() {
        return BertModel.selection(this);
    }

    /// Computes the scores. Shapes: ids (B, T) → (B, labels), or (B, T, labels) for tokens.
    public Tensor logits(BertInput input) {
        return logits(input, Context.of(rng));
    }

    /// Computes the scores of features. Shapes: (…, C) → (…, labels).
    @Override
    public Tensor scores(Tensor features, Context context) {
        return classifier.call(dropout.call(features, context), context);
    }

    @Override
    public int width() {
        return encoder.config().hiddenSize();
    }

    /// Computes what the head sees. Shapes: ids (B, T) → (B, C), or (B, T, C) for tokens.
    @Override
    public Tensor features(BertInput input, Context context) {
        Tensor hidden = encoder.hidden(input, context);
        if (perToken) {
            return hidden;
        }
        return pooling == null ? encoder.pooled(hidden) : pooling.pool(hidden, input.mask());
    }

    /// Writes config, with the labels, and weights to a folder, in the layout that [#load] reads.
    public void save(Path folder) {
        var names = new LinkedHashMap<String, Object>();
        var numbers = new LinkedHashMap<String, Object>();
        for (int i = 0; i < labels.size(); i++) {
            names.put(Integer.toString(i), labels.get(i));
            numbers.put(labels.get(i), (long) i);
        }
        String how =
                perToken
                        ? TOKENS
                        : pooling == null ? POOLER : pooling.name().toLowerCase(Locale.ROOT);
        JsonObject json =
                encoder.config()
                        .json()
                        .with("id2label", names)
                        .with("label2id", numbers)
                        .with(
                                "architectures",
                                List.of(
                                        perToken
                                                ? "BertForTokenClassification"
                                                : "BertForSequenceClassification"))
                        .with(POOLING, how);
        ModelFiles.save(this, json, folder);
    }

    @Override
    protected String describe() {
        return "BertClassifier(" + labels.size() + (perToken ? " labels a token)" : " labels)");
    }
}
