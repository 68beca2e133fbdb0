package io.github.panagrad.examples.task;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.models.FeatureClassifier;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.objective.LayerAttentivePool;
import io.github.panagrad.nn.objective.LayerPooledClassifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A classifier with its kind of head, to be made, saved and loaded by a command.
///
/// @param module the model
/// @param head the same
/// @param form which head
/// @param pooling how hidden states become one vector
/// @param save writes the model to a folder
public record LabelModel(
        Module module, FeatureClassifier head, Form form, Pooling pooling, Consumer<Path> save) {
    /// What lies beside an adapter, so that the classifier can be made again.
    public static final String FILE = "classifier.json";

    /// The kinds of heads.
    public enum Form {
        /// A linear layer over the pooled last layer.
        LINEAR,
        /// A linear layer over layer-attentive residual pooling.
        LAYERS
    }

    /// Puts a new head on an encoder.
    public static LabelModel create(Encoder encoder, List<String> labels, Form form, long seed) {
        return switch (form) {
            case LINEAR ->
                    of(
                            BertClassifier.ofRows(encoder.model(), labels, encoder.pooling(), seed),
                            encoder.pooling());
            case LAYERS -> {
                var settings =
                        new LayerPooledClassifier.Settings(
                                LayerPooledClassifier.Settings.DEFAULT.layers(),
                                encoder.pooling(),
                                LayerAttentivePool.Options.DEFAULT);
                yield of(
                        new LayerPooledClassifier(encoder.model(), labels, settings, seed),
                        encoder.pooling());
            }
        };
    }

    private static LabelModel of(BertClassifier model, Pooling pooling) {
        return new LabelModel(model, model, Form.LINEAR, pooling, model::save);
    }

    private static LabelModel of(LayerPooledClassifier model, Pooling pooling) {
        return new LabelModel(model, model, Form.LAYERS, pooling, model::save);
    }

    /// Loads a classifier: a folder that was saved whole, or the adapter of one on its encoder.
    ///
    /// @param folder of the encoder or of the whole classifier
    /// @param adapter folder of the adapter, or null
    public static FeatureClassifier load(Path folder, @Nullable Path adapter) {
        if (adapter != null) {
            JsonObject json = JsonObject.read(adapter.resolve(FILE));
            Encoder encoder = Encoder.load(folder, json.choice("pooling", Pooling.class));
            LabelModel model =
                    create(encoder, json.strings("labels"), json.choice("head", Form.class), 0);
            Adapter.load(model.module(), adapter);
            return model.head();
        }
        if (Files.exists(folder.resolve("head.json"))) {
            return LayerPooledClassifier.load(folder);
        }
        if (JsonObject.read(folder.resolve("config.json")).has("id2label")) {
            return BertClassifier.load(folder);
        }
        throw new PanagradException(
                "classify",
                "an encoder without a head",
                folder.toString(),
                "a classifier's folder, or an adapter beside it",
                "train one by 'finetune' on rows of {\"text\", \"label\"}");
    }

    /// Returns the names of the labels, in the order of the scores.
    public List<String> labels() {
        return head.labels();
    }

    /// Returns the paths of what is new on the encoder.
    List<String> heads() {
        return form == Form.LINEAR ? List.of("classifier") : List.of("classifier", "pool");
    }

    /// Says what it takes to make the model again, but for weights.
    JsonObject describe() {
        return JsonObject.of(
                "labels",
                labels(),
                "head",
                form.name().toLowerCase(Locale.ROOT),
                "pooling",
                pooling.name().toLowerCase(Locale.ROOT));
    }

    /// Writes the model to a folder.
    public void save(Path folder) {
        save.accept(folder);
    }
}
