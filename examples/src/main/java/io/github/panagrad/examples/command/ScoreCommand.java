package io.github.panagrad.examples.command;

import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.ReferenceScores;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Writes how likely a model finds the answers of data.
@Command(
        name = "score",
        description =
                "Writes how likely a model finds each answer of data, for 'finetune --objective"
                        + " poft:scores=FILE' and for choosing data.")
public final class ScoreCommand implements Runnable {
    @Spec private CommandSpec spec;
    @Mixin private ModelOptions source;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description = "Rows (.jsonl) of {\"prompt\", \"completion\"} or {\"text\"}.")
    private Path data;

    @Option(
            names = "--output",
            required = true,
            paramLabel = "FILE",
            description = "File for the scores, JSON; replaced whole.")
    private Path output;

    @Mixin private DataOptions reading;

    @Option(
            names = "--batch-size",
            defaultValue = "8",
            paramLabel = "N",
            description = "Rows that are computed together. Default: ${DEFAULT-VALUE}.")
    private int batchSize;

    @SuppressWarnings("UnusedVariable") // acts as it is parsed
    @Mixin
    private ThreadOption threads;

    ScoreCommand() {}

    @Override
    public void run() {
        CausalLM model = source.load();
        Dataset dataset = reading.read(data, model, source.folder());
        List<String> keys =
                dataset.examples().stream()
                        .map(example -> ReferenceScores.key(model.tokenizer(), example))
                        .toList();
        var scores = new ReferenceScores(source.folder().toString());
        scores.score(model, Batches.of(dataset).size(batchSize), keys);
        scores.write(output);
        spec.commandLine()
                .getOut()
                .printf(Locale.ROOT, "%,d scores in %s%n", scores.size(), output);
    }
}
