package io.github.panagrad.examples.command;

import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.CausalLM;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Lets a model continue a text.
@Command(name = "generate", description = "Continues a prompt and prints the text as it comes.")
public final class GenerateCommand implements Runnable {
    @Spec private CommandSpec spec;
    @Mixin private ModelOptions source;

    @Option(
            names = "--prompt",
            required = true,
            paramLabel = "TEXT",
            description = "What the text begins with.")
    private String prompt;

    @Option(
            names = "--max-tokens",
            defaultValue = "200",
            paramLabel = "N",
            description = "Tokens to generate at most. Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Option(
            names = "--temperature",
            defaultValue = "0",
            paramLabel = "X",
            description =
                    "0 always takes the likeliest token; 1 draws as the model predicts. Default:"
                            + " ${DEFAULT-VALUE}.")
    private double temperature;

    @Option(
            names = "--top-k",
            defaultValue = "0",
            paramLabel = "K",
            description = "Draw from the K likeliest tokens only; 0 for all. Default: 0.")
    private int topK;

    @Option(
            names = "--top-p",
            defaultValue = "1",
            paramLabel = "P",
            description =
                    "Draw from the likeliest tokens that together reach probability P. Default: 1,"
                            + " all.")
    private double topP;

    @Option(
            names = "--repetition-penalty",
            defaultValue = "1",
            paramLabel = "X",
            description = "Above 1, makes tokens seen before less likely. Default: 1.")
    private double repetitionPenalty;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "Decides what is drawn. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @SuppressWarnings("UnusedVariable") // acts as it is parsed
    @Mixin
    private ThreadOption threads;

    @Mixin private DeviceOption where;

    GenerateCommand() {}

    @Override
    public void run() {
        Sampling sampling =
                Sampling.temperature(temperature)
                        .topK(topK)
                        .topP(topP)
                        .repetitionPenalty(repetitionPenalty)
                        .maxTokens(maxTokens)
                        .seed(seed);
        CausalLM model = source.load();
        model.to(where.device());
        PrintWriter out = spec.commandLine().getOut();
        model.generate(
                prompt,
                sampling,
                piece -> {
                    out.print(piece);
                    out.flush();
                });
        out.println();
    }
}
