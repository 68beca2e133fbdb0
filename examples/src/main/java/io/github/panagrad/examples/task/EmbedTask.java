package io.github.panagrad.examples.task;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.data.LabelledRows;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.SentenceEmbedder;
import io.github.panagrad.nn.objective.ContrastiveObjectives.Pairs;
import io.github.panagrad.nn.objective.ContrastiveObjectives.Triplets;
import io.github.panagrad.nn.objective.Embedder;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Tunes an encoder so that texts that belong together lie near to each other.
///
/// @param encoder the encoder
/// @param batches the training data
/// @param data says how much it is
/// @param run runs the encoder on a batch
/// @param goal makes the objective of an embedder
/// @param heldOut texts in the first column, what each of them is to be near to in the second; or
///     null
/// @param <B> the class of a batch
public record EmbedTask<B>(
        Encoder encoder,
        BatchSource<B> batches,
        String data,
        Consumer<B> run,
        Function<Embedder, Objective<B>> goal,
        @Nullable List<List<int[]>> heldOut)
        implements Task<B> {
    /// Fields of a pair.
    public static final List<String> PAIR = List.of("anchor", "positive");

    /// Fields of a triplet.
    public static final List<String> TRIPLET = List.of("anchor", "positive", "negative");

    /// Tunes by pairs, each batch's rows being compared with each other.
    public static EmbedTask<Pairs> pairs(
            Encoder encoder,
            List<List<int[]>> columns,
            @Nullable List<List<int[]>> heldOut,
            Goal.Alike goal,
            ClassifyTask.Order order) {
        return new EmbedTask<>(
                encoder,
                source(
                        columns,
                        order,
                        which ->
                                new Pairs(
                                        encoder.input(columns.get(0), which),
                                        encoder.input(columns.get(1), which))),
                columns.getFirst().size() + " pairs",
                batch -> encoder.model().hidden(batch.queries()),
                goal.maker(),
                heldOut);
    }

    /// Tunes by triplets.
    public static EmbedTask<Triplets> triplets(
            Encoder encoder,
            List<List<int[]>> columns,
            @Nullable List<List<int[]>> heldOut,
            Goal.Apart goal,
            ClassifyTask.Order order) {
        return new EmbedTask<>(
                encoder,
                source(
                        columns,
                        order,
                        which ->
                                new Triplets(
                                        encoder.input(columns.get(0), which),
                                        encoder.input(columns.get(1), which),
                                        encoder.input(columns.get(2), which))),
                columns.getFirst().size() + " triplets",
                batch -> encoder.model().hidden(batch.anchors()),
                goal.maker(),
                heldOut);
    }

    /// Tunes by labels.
    public static EmbedTask<Labelled> classes(
            Encoder encoder, LabelledRows rows, Goal.Classes goal, ClassifyTask.Order order) {
        return new EmbedTask<>(
                encoder,
                ClassifyTask.batches(encoder, rows, goal.perClass(), order),
                rows.size() + " rows, " + rows.names().size() + " labels",
                batch -> encoder.model().hidden(batch.input()),
                goal.maker(),
                null);
    }

    private static <B> BatchSource<B> source(
            List<List<int[]>> columns, ClassifyTask.Order order, Function<int[], B> maker) {
        return BatchSource.ofRows(
                columns.getFirst().size(),
                order.size(),
                order.shuffled() ? order.seed() : null,
                maker);
    }

    @Override
    public Module model() {
        return encoder.model();
    }

    @Override
    public ParamSelection selection() {
        return encoder.model().selection();
    }

    @Override
    public Tokenizer tokenizer() {
        return encoder.tokenizer();
    }

    @Override
    public void run(B batch) {
        run.accept(batch);
    }

    private SentenceEmbedder embedder() {
        return new SentenceEmbedder(encoder.model(), encoder.tokenizer(), encoder.pooling());
    }

    @Override
    public Objective<B> objective(@Nullable Adapter adapter) {
        return goal.apply(embedder()::embed);
    }

    @Override
    public @Nullable Measure measure() {
        List<List<int[]>> columns = heldOut;
        return columns == null ? null : () -> measured(columns);
    }

    /// Counts how often a text's own partner is the nearest of all.
    private Measure.Result measured(List<List<int[]>> columns) {
        SentenceEmbedder embedder = embedder();
        double[][] texts = encoder.ask(columns.get(0), in -> embedder.embed(in, Context.EMPTY));
        double[][] others = encoder.ask(columns.get(1), in -> embedder.embed(in, Context.EMPTY));
        double found = 0;
        for (int i = 0; i < texts.length; i++) {
            int nearest = 0;
            for (int j = 1; j < others.length; j++) {
                if (dot(texts[i], others[j]) > dot(texts[i], others[nearest])) {
                    nearest = j;
                }
            }
            found += nearest == i ? 1.0 / texts.length : 0;
        }
        return new Measure.Result(
                1 - found,
                JsonObject.of("loss", 1 - found, "recall_at_1", found, "rows", (long) texts.length),
                String.format(
                        Locale.ROOT,
                        "%.4f (a partner is the nearest of %d for %.1f %%)",
                        1 - found,
                        others.length,
                        100 * found));
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    @Override
    public void save(Path folder) {
        encoder.save(folder);
    }
}
