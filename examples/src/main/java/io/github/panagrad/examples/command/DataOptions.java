package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.ExampleReader;
import io.github.panagrad.nn.data.PreferenceReader;
import io.github.panagrad.nn.data.RowReader;
import io.github.panagrad.nn.io.BertConfig;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// Says how data files are read.
final class DataOptions {
    /// Windows over text are no longer than this unless the user says so.
    private static final int DEFAULT_WINDOW = 256;

    @Option(
            names = "--seq-len",
            paramLabel = "N",
            description = {
                "Tokens in a window of text, and the most in a row.",
                "Default: the model's context; for text at most " + DEFAULT_WINDOW + "."
            })
    private int seqLen;

    @Option(
            names = "--truncate",
            description = "Cut rows that are too long at their end instead of refusing them.")
    private boolean truncate;

    @Option(
            names = "--text-field",
            defaultValue = "text",
            paramLabel = "NAME",
            description = "Field of a row that holds text. Default: ${DEFAULT-VALUE}.")
    private String textField;

    @Option(
            names = "--prompt-field",
            defaultValue = "prompt",
            paramLabel = "NAME",
            description = "Field of a row that holds the prompt. Default: ${DEFAULT-VALUE}.")
    private String promptField;

    @Option(
            names = "--completion-field",
            defaultValue = "completion",
            paramLabel = "NAME",
            description =
                    "Field of a row that holds what follows the prompt. Default:"
                            + " ${DEFAULT-VALUE}.")
    private String completionField;

    @Option(
            names = "--separator",
            defaultValue = "",
            paramLabel = "TEXT",
            description = "Text between prompt and completion. Default: none.")
    private String separator;

    @Option(
            names = "--label-field",
            defaultValue = "label",
            paramLabel = "NAME",
            description =
                    "Field of a row that holds a text's label or number. Default:"
                            + " ${DEFAULT-VALUE}.")
    private String labelField;

    private int reserved;

    DataOptions() {}

    /// Leaves so many of the model's positions free, for an adapter that takes them.
    void reserve(int positions) {
        reserved = positions;
    }

    /// Returns how many tokens a row of a file may have.
    int rowLength(Path file, CausalLM model) {
        int context = context(model);
        if (seqLen != 0) {
            return seqLen;
        }
        return file.toString().endsWith(".txt") ? Math.min(context, DEFAULT_WINDOW) : context;
    }

    /// Reads a data file for an objective that learns from such rows.
    Dataset read(Path file, CausalLM model, Path modelFolder, Goal.Data kind) {
        if (kind == Goal.Data.TEXT) {
            return read(file, model, modelFolder);
        }
        var reader =
                PreferenceReader.of(model.tokenizer())
                        .longest(Math.min(rowLength(file, model), context(model)))
                        .truncate(truncate);
        return kind == Goal.Data.PAIRS ? reader.pairs(file) : reader.marked(file);
    }

    /// Returns a reader of rows for an encoder.
    RowReader rows(Tokenizer tokenizer, BertConfig config) {
        int context = context(config.maxPositions());
        return RowReader.of(tokenizer)
                .longest(seqLen == 0 ? context : Math.min(seqLen, context))
                .truncate(truncate)
                .textField(textField)
                .labelField(labelField);
    }

    private int context(CausalLM model) {
        return context(model.config().maxPositions());
    }

    private int context(int positions) {
        int context = positions - reserved;
        if (context < 2) {
            throw new PanagradException(
                    "method",
                    "it takes all positions of the model's context",
                    "" + reserved,
                    "at most " + (positions - 2),
                    "choose fewer tokens");
        }
        return context;
    }

    /// Reads a data file for a model.
    ///
    /// @param modelFolder where the model came from; one without tokenizer takes rows of ids only
    Dataset read(Path file, CausalLM model, Path modelFolder) {
        ExampleReader reader =
                Files.exists(modelFolder.resolve("tokenizer.json"))
                        ? ExampleReader.of(model.tokenizer()).vocabSize(model.config().vocabSize())
                        : ExampleReader.ofIds(model.config().vocabSize());
        reader.context(context(model))
                .seqLen(rowLength(file, model))
                .truncate(truncate)
                .separator(separator)
                .textField(textField)
                .promptField(promptField)
                .completionField(completionField);
        return reader.read(file);
    }
}
