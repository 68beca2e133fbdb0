package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.task.ClassifyTask;
import io.github.panagrad.examples.task.EmbedTask;
import io.github.panagrad.examples.task.Encoder;
import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.examples.task.LabelModel;
import io.github.panagrad.examples.task.LanguageTask;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.examples.task.ValueTask;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.InputCorruption;
import io.github.panagrad.nn.data.LabelNoise;
import io.github.panagrad.nn.data.LabelledRows;
import io.github.panagrad.nn.data.RowReader;
import io.github.panagrad.nn.data.UnlearnSet;
import io.github.panagrad.nn.io.BertConfig;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.objective.MaskedThought;
import io.github.panagrad.nn.objective.Unlearn;
import io.github.panagrad.nn.train.BatchSource;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Says what a model is tuned for: the model in a folder and the objective decide.
final class TaskOptions {
    @Mixin private DataOptions reading;

    @Option(
            names = "--mask-thought",
            defaultValue = "0",
            paramLabel = "P",
            description = {
                "Hide this share of the answers' tokens from the model while it learns to predict"
                        + " them (masked thought, arXiv 2403.02178); 0.4 is common.",
                "Default: 0."
            })
    private double maskThought;

    @Option(
            names = "--mask-warmup",
            defaultValue = "0.66",
            paramLabel = "X",
            description = "Share of the run in which that rises. Default: ${DEFAULT-VALUE}.")
    private double maskWarmup;

    @Option(
            names = "--mask-replace",
            defaultValue = "0",
            paramLabel = "X",
            description = "Share of the hidden tokens that become random ones. Default: 0.")
    private double maskReplace;

    @Option(
            names = "--mask-token",
            defaultValue = "0",
            paramLabel = "ID",
            description =
                    "Token that hides others: one that texts do not have. Default: 0, the unknown"
                            + " token of Llama's tokenizers.")
    private int maskToken;

    @Option(
            names = "--pooling",
            defaultValue = "mean",
            paramLabel = "NAME",
            description =
                    "For encoders, how hidden states become one vector: ${COMPLETION-CANDIDATES}."
                            + " Default: ${DEFAULT-VALUE}.")
    private Pooling pooling;

    @Option(
            names = "--head",
            defaultValue = "linear",
            paramLabel = "NAME",
            description =
                    "For classifiers, what gives the scores: linear, or layers for layer-attentive"
                            + " pooling over all layers (arXiv 2603.14075). Default: linear.")
    private LabelModel.Form head;

    @Option(
            names = "--label-noise",
            defaultValue = "0",
            paramLabel = "P",
            description =
                    "For experiments, make this share of the training labels wrong. Default: 0.")
    private double labelNoise;

    TaskOptions() {}

    /// How rows become batches.
    ///
    /// @param size rows a batch
    /// @param seed decides order and new weights
    /// @param shuffle whether the order changes
    /// @param pack whether short rows share one
    record Rows(int size, long seed, boolean shuffle, boolean pack) {}

    /// Makes the task.
    ///
    /// @param folder of the model
    /// @param goals what the objective can be made for
    /// @param reserved how many positions of the context the method takes
    Task<?> task(
            Path folder,
            List<Goal> goals,
            Path data,
            @Nullable Path evalData,
            Rows rows,
            int reserved,
            boolean checkpointing) {
        reading.reserve(reserved);
        boolean encoder = ModelConfig.read(folder) instanceof BertConfig;
        refuse(encoder && maskThought != 0, "--mask-thought", "a language model");
        refuse(encoder && rows.pack(), "--pack", "a language model");
        refuse(!encoder && labelNoise != 0, "--label-noise", "an encoder");
        refuse(!encoder && head != LabelModel.Form.LINEAR, "--head", "an encoder");
        for (Goal goal : goals) {
            if (goal instanceof Goal.Language language && !encoder) {
                return language(folder, language, data, evalData, rows, checkpointing);
            }
            if (!(goal instanceof Goal.Language) && encoder) {
                return encoder(folder, goal, data, evalData, rows, checkpointing);
            }
        }
        throw new PanagradException(
                "--objective",
                "not one of such models",
                folder + " holds " + (encoder ? "an encoder" : "a language model"),
                encoder ? "an objective over labels, pairs or numbers" : "one over text",
                "'finetune --help' lists them");
    }

    /// Tells whether some of the training labels are made wrong.
    boolean hasLabelNoise() {
        return labelNoise > 0;
    }

    /// Refuses an option that would do nothing.
    private static void refuse(boolean idle, String option, String wanted) {
        if (idle) {
            throw new PanagradException(
                    option, "would do nothing here", "", "for " + wanted, "leave it out");
        }
    }

    private Task<?> language(
            Path folder,
            Goal.Language goal,
            Path data,
            @Nullable Path evalData,
            Rows rows,
            boolean checkpointing) {
        CausalLM model = CausalLM.load(folder);
        model.checkpointing(checkpointing);
        Unlearn.Kept kept = null;
        Dataset training;
        if (goal.data() == Goal.Data.UNLEARN) {
            UnlearnSet set = UnlearnSet.read(data, model.tokenizer());
            training = set.data();
            kept = set::isKept;
        } else {
            training = reading.read(data, model, folder, goal.data());
        }
        Batches heldOut =
                evalData == null
                        ? null
                        : Batches.of(reading.read(evalData, model, folder)).size(rows.size());
        return new LanguageTask(
                model,
                training,
                batches(training, model, goal.data(), data, rows),
                heldOut,
                maskThought == 0 ? goal : masked(goal, rows.seed()),
                kept);
    }

    private BatchSource<Batch> batches(
            Dataset training, CausalLM model, Goal.Data kind, Path data, Rows rows) {
        Batches batches = Batches.of(training).size(rows.size()).endless();
        if (kind == Goal.Data.PAIRS || kind == Goal.Data.MARKED) {
            batches.grouped(2);
        }
        if (rows.pack()) {
            batches.packed(reading.rowLength(data, model));
        }
        return BatchSource.of(rows.shuffle() ? batches.shuffled(rows.seed()) : batches);
    }

    private Goal.Language masked(Goal.Language goal, long seed) {
        return new Goal.Language(
                goal.data(),
                on -> {
                    var config = on.model().config();
                    int[] special = config.eosIds().stream().mapToInt(Integer::intValue).toArray();
                    var corruption =
                            InputCorruption.of(maskToken, config.vocabSize(), seed)
                                    .special(special)
                                    .rate(maskThought)
                                    .warmup(maskWarmup)
                                    .replaceRate(maskReplace);
                    return new MaskedThought(goal.maker().apply(on), corruption);
                });
    }

    private Task<?> encoder(
            Path folder,
            Goal goal,
            Path data,
            @Nullable Path evalData,
            Rows rows,
            boolean checkpointing) {
        Encoder encoder = Encoder.load(folder, pooling);
        encoder.model().checkpointing(checkpointing);
        RowReader reader = reading.rows(encoder.tokenizer(), encoder.model().config());
        var order = new ClassifyTask.Order(rows.size(), rows.seed(), rows.shuffle());
        return switch (goal) {
            case Goal.Labels labels -> classify(encoder, reader, labels, data, evalData, order);
            case Goal.Classes classes -> {
                refuse(evalData != null, "--eval-data", "objectives over pairs or labels");
                yield EmbedTask.classes(encoder, reader.labelled(data), classes, order);
            }
            case Goal.Alike alike ->
                    EmbedTask.pairs(
                            encoder,
                            reader.columns(data, EmbedTask.PAIR),
                            evalData == null ? null : reader.columns(evalData, EmbedTask.PAIR),
                            alike,
                            order);
            case Goal.Apart apart ->
                    EmbedTask.triplets(
                            encoder,
                            reader.columns(data, EmbedTask.TRIPLET),
                            evalData == null ? null : reader.columns(evalData, EmbedTask.PAIR),
                            apart,
                            order);
            case Goal.Values values ->
                    new ValueTask(
                            encoder,
                            reader.valued(data),
                            evalData == null ? null : reader.valued(evalData),
                            values,
                            order);
            case Goal.Language language ->
                    throw new IllegalStateException("a language goal for an encoder");
        };
    }

    private ClassifyTask classify(
            Encoder encoder,
            RowReader reader,
            Goal.Labels goal,
            Path data,
            @Nullable Path evalData,
            ClassifyTask.Order order) {
        LabelledRows training = reader.labelled(data);
        LabelModel model = LabelModel.create(encoder, training.names(), head, order.seed());
        LabelledRows heldOut =
                evalData == null ? null : reader.labelled(evalData, training.names());
        if (labelNoise > 0) {
            training =
                    training.with(
                            LabelNoise.symmetric(
                                    training.names().size(), labelNoise, order.seed()));
        }
        return new ClassifyTask(encoder, model, training, heldOut, goal, order);
    }
}
