package io.github.panagrad.examples.task;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objective;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Something to tune a model for: the model, its data, what is made small and how it is measured.
///
/// @param <B> the class of a batch
public interface Task<B> {
    /// How many batches methods look at that begin with a look at the data.
    int FIRST = 8;

    /// Returns the model that learns.
    Module model();

    /// Returns the model's parameters with category and block.
    ParamSelection selection();

    /// Returns the model's tokenizer.
    Tokenizer tokenizer();

    /// Returns the training data.
    BatchSource<B> batches();

    /// Says in a few words how much data there is.
    String data();

    /// Returns what the speed of training counts: what a loss is of, rows unless told otherwise.
    default String unit() {
        return "rows";
    }

    /// Runs the model on a batch, for methods that watch its layers.
    void run(B batch);

    /// Returns the tokens of a batch, for methods that train some tokens' embeddings.
    ///
    /// @throws PanagradException if the task has none to choose by
    default IntStream tokens(B batch) {
        throw new PanagradException(
                "method",
                "chooses tokens by the text of a language model",
                model().toString().lines().findFirst().orElse(""),
                "a language model",
                "choose another method");
    }

    /// Makes what is made small. Called when it is settled what trains, and before the optimizer is
    /// made, since an objective may bring layers of its own.
    ///
    /// @param adapter what is trained beside the model, null if that is the model itself
    Objective<B> objective(@Nullable Adapter adapter);

    /// Returns how far the model has come from what it says without an adapter, as an objective: the
    /// divergence of its answers; null where these are no distributions.
    ///
    /// @param adapter on the model
    default @Nullable Objective<B> divergence(Adapter adapter) {
        return null;
    }

    /// Measures the model on data that is not trained on; null where there is none.
    @Nullable Measure measure();

    /// Returns the paths of new heads, which train whole beside an adapter.
    default List<String> heads() {
        return List.of();
    }

    /// Writes the model to a folder.
    void save(Path folder);

    /// Writes what must lie beside an adapter for the result to be used; nothing by itself.
    default void saveBeside(Path folder) {}

    /// Returns the first batches.
    default List<B> first() {
        var first = new ArrayList<B>();
        Iterator<B> batches = batches().epoch(0).iterator();
        while (batches.hasNext() && first.size() < FIRST) {
            first.add(batches.next());
        }
        return first;
    }

    /// Returns the paths of the linear layers of attention and feed-forward.
    default List<String> linearLayers() {
        return layers(
                ParamCategory.ATTN_Q,
                ParamCategory.ATTN_K,
                ParamCategory.ATTN_V,
                ParamCategory.ATTN_O,
                ParamCategory.MLP_GATE,
                ParamCategory.MLP_UP,
                ParamCategory.MLP_DOWN);
    }

    /// Returns the paths of the layers whose weights are of some categories.
    default List<String> layers(ParamCategory... categories) {
        return selection().in(categories).entries().stream()
                .map(e -> e.path().substring(0, e.path().lastIndexOf('.')))
                .toList();
    }
}
