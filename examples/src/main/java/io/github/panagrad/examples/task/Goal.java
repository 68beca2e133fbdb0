package io.github.panagrad.examples.task;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.losses.ValueCoding;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.models.FeatureClassifier;
import io.github.panagrad.nn.objective.ContrastiveObjectives.Pairs;
import io.github.panagrad.nn.objective.ContrastiveObjectives.Triplets;
import io.github.panagrad.nn.objective.Embedder;
import io.github.panagrad.nn.objective.Unlearn;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// An objective that waits for its model and its data.
public sealed interface Goal {
    /// What rows of data hold that language models learn from.
    enum Data {
        /// Text, or prompts with completions.
        TEXT,
        /// Prompts, each with a chosen and a rejected answer.
        PAIRS,
        /// Prompts with answers that are marked as good or bad.
        MARKED,
        /// What is to be said of a concept that is to be forgotten, and what is to be kept.
        UNLEARN
    }

    /// What an objective of language models is made of.
    ///
    /// @param model the model
    /// @param adapter what is trained on it, null if that is the model itself
    /// @param data what is trained on
    /// @param kept for data of kind UNLEARN, which tokens are held to the model as it was
    record Subject(
            CausalLM model, @Nullable Adapter adapter, Dataset data, Unlearn.@Nullable Kept kept) {}

    /// An objective of language models.
    record Language(Data data, Function<Subject, Objective<Batch>> maker) implements Goal {}

    /// An objective of classifiers.
    ///
    /// @param perClass how many rows of each class a batch has, for objectives that compare rows; 0
    ///     where it does not matter
    /// @param maker makes it
    record Labels(int perClass, Maker maker) implements Goal {
        /// Makes it.
        @FunctionalInterface
        public interface Maker {
            /// Returns the objective.
            ///
            /// @param counts how many rows of each label the data has
            Objective<Labelled> of(FeatureClassifier model, int[] counts, long seed);
        }
    }

    /// An objective of embedders over rows of one class.
    record Classes(int perClass, Function<Embedder, Objective<Labelled>> maker) implements Goal {}

    /// An objective of embedders over pairs.
    record Alike(Function<Embedder, Objective<Pairs>> maker) implements Goal {}

    /// An objective of embedders over triplets.
    record Apart(Function<Embedder, Objective<Triplets>> maker) implements Goal {}

    /// An objective of encoders that predict a number.
    ///
    /// @param coding how a number is predicted
    record Values(ValueCoding coding) implements Goal {}
}
