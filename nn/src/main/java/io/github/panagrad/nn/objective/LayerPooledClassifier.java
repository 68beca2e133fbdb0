package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Dropout;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.FeatureClassifier;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.objective.LayerAttentivePool.Mode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// An encoder with a [LayerAttentivePool] over its layers and a linear head that gives a score for
/// every label of a row.
///
/// **A reconstruction** of arXiv 2603.14075, of which only the abstract could be read. Its layers are
/// read through taps; the encoder does not know.
public final class LayerPooledClassifier extends Module implements FeatureClassifier {
    private static final String ALL = "encoder.layer.*";
    private static final String CONFIG = "head.json";
    private static final String WEIGHTS = "head.safetensors";
    private static final String ENCODER = "bert.";

    private final BertModel encoder;
    private final LayerStates states;
    private final LayerAttentivePool pool;
    private final Dropout dropout;
    private final Linear classifier;
    private final Settings settings;
    private final List<String> labels;
    private final Rng rng = Rng.of(0);

    /// What the head is made of, beside its labels.
    ///
    /// @param layers which layers of the encoder are read, by path: `encoder.layer.{2..5}`
    /// @param pooling how a layer's states become one vector a row
    /// @param pool how these become one
    public record Settings(String layers, Pooling pooling, LayerAttentivePool.Options pool) {
        /// The means of all layers, with one learnt weight a layer.
        public static final Settings DEFAULT =
                new Settings(ALL, Pooling.MEAN, LayerAttentivePool.Options.DEFAULT);

        /// Returns the same with another pool.
        public Settings pool(LayerAttentivePool.Options value) {
            return new Settings(layers, pooling, value);
        }
    }

    /// Puts a new head on an encoder, whose own pooler, if any, is frozen.
    ///
    /// @param labels the names of the labels, in the order of the scores
    /// @param seed of the head's weights
    /// @throws io.github.panagrad.engine.ground.PanagradException if there are no such layers
    public LayerPooledClassifier(
            BertModel encoder, List<String> labels, Settings settings, long seed) {
        var config = encoder.config();
        var start = Rng.of(seed);
        int width = config.hiddenSize();
        this.labels = List.copyOf(labels);
        this.settings = settings;
        this.encoder = register("bert", encoder);
        states = new LayerStates(encoder, settings.layers(), settings.pooling());
        dropout = register("dropout", new Dropout(config.classifierDropout()));
        classifier =
                register(
                        "classifier",
                        new Linear(
                                width,
                                labels.size(),
                                true,
                                Init.normal(0, config.initializerRange()),
                                start));
        pool =
                register(
                        "pool",
                        new LayerAttentivePool(states.size(), width, settings.pool(), start));
        if (encoder.hasPooler()) {
            freeze(PathPattern.of("bert.pooler"));
        }
    }

    /// Loads what [#save] wrote.
    public static LayerPooledClassifier load(Path folder) {
        JsonObject json = JsonObject.read(folder.resolve(CONFIG));
        var pool =
                new LayerAttentivePool.Options(
                        json.choice("mode", Mode.class),
                        json.bool("residual", true),
                        json.bool("norm", true));
        var settings =
                new Settings(json.string("layers"), json.choice("pooling", Pooling.class), pool);
        BertModel encoder = BertModel.load(folder);
        var model = new LayerPooledClassifier(encoder, json.strings("labels"), settings, 0);
        Map<String, Tensor> state = new LinkedHashMap<>(model.stateDict());
        state.putAll(TensorFiles.read(folder.resolve(WEIGHTS)));
        model.bind(state);
        return model;
    }

    /// Writes the encoder to a folder in its own layout, and the head beside it: `head.json` and
    /// `head.safetensors`.
    public void save(Path folder) {
        encoder.save(folder);
        var head = new LinkedHashMap<String, Tensor>(stateDict());
        head.keySet().removeIf(name -> name.startsWith(ENCODER));
        TensorFiles.write(folder.resolve(WEIGHTS), head, Map.of());
        JsonObject.of(
                        "layers",
                        settings.layers(),
                        "pooling",
                        settings.pooling().name().toLowerCase(Locale.ROOT),
                        "mode",
                        settings.pool().mode().name().toLowerCase(Locale.ROOT),
                        "residual",
                        settings.pool().residual(),
                        "norm",
                        settings.pool().norm(),
                        "labels",
                        labels)
                .write(folder.resolve(CONFIG));
    }

    /// Returns the pool, whose weights say which layers are read.
    public LayerAttentivePool pool() {
        return pool;
    }

    @Override
    public List<String> labels() {
        return labels;
    }

    /// Computes the scores. Shapes: ids (B, T) → (B, labels).
    public Tensor logits(BertInput input) {
        return logits(input, Context.of(rng));
    }

    @Override
    public Tensor features(BertInput input, Context context) {
        LayerStates.Result result = run(input, context);
        return pool.pool(settings.pooling().pool(result.hidden(), input.mask()), result.states());
    }

    /// Returns the weights of the layers for each row. Shapes: ids (B, T) → (B, layers).
    public Tensor layerWeights(BertInput input) {
        return pool.weights(run(input, Context.of(rng)).states());
    }

    private LayerStates.Result run(BertInput input, Context context) {
        return states.run(input.mask(), context, inner -> encoder.hidden(input, inner));
    }

    @Override
    public Tensor scores(Tensor features, Context context) {
        return classifier.call(dropout.call(features, context), context);
    }

    @Override
    public int width() {
        return encoder.config().hiddenSize();
    }

    @Override
    protected String describe() {
        return "LayerPooledClassifier(" + labels.size() + " labels)";
    }
}
