package io.github.panagrad.examples.catalog;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Objective;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Makes an objective for a model, and says what data it learns from.
///
/// @param data the kind of data
/// @param maker makes the objective
public record ObjectiveMaker(Data data, Maker maker) {
    /// What rows of data hold.
    public enum Data {
        /// Text, or prompts with completions.
        TEXT,
        /// Prompts, each with a chosen and a rejected answer.
        PAIRS,
        /// Prompts with answers that are marked as good or bad.
        MARKED
    }

    /// Makes an objective.
    @FunctionalInterface
    public interface Maker {
        /// Returns the objective for a model.
        ///
        /// @param adapter what is trained on it, null if that is the model itself
        Objective<Batch> on(CausalLM model, @Nullable Adapter adapter);
    }

    /// Describes an objective over text.
    static ObjectiveMaker text(Function<CausalLM, Objective<Batch>> maker) {
        return new ObjectiveMaker(Data.TEXT, (model, adapter) -> maker.apply(model));
    }

    /// Returns the objective for a model.
    public Objective<Batch> on(CausalLM model, @Nullable Adapter adapter) {
        return maker.on(model, adapter);
    }
}
