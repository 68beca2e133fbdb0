package io.github.panagrad.examples.command;

import io.github.panagrad.examples.quickstart.Quickstart;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Fine-tunes the model in the jar while the user watches.
@Command(
        name = "quickstart",
        description =
                "Fine-tunes a small language model that is in the jar, in less than two minutes and"
                        + " with nothing else needed; shows what it answers before and after.")
public final class QuickstartCommand implements Runnable {
    @Spec private CommandSpec spec;

    @Option(
            names = "--output",
            defaultValue = "panagrad-quickstart",
            paramLabel = "DIR",
            description = "Folder for what it writes. Default: ./${DEFAULT-VALUE}.")
    private Path output;

    @Option(
            names = "--steps",
            defaultValue = "200",
            paramLabel = "N",
            description = "How long to train. Default: ${DEFAULT-VALUE} steps.")
    private long steps;

    @Option(
            names = "--seed",
            defaultValue = "7",
            paramLabel = "N",
            description = "Decides the questions and the run. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @SuppressWarnings("UnusedVariable") // acts as it is parsed
    @Mixin
    private ThreadOption threads;

    QuickstartCommand() {}

    @Override
    public void run() {
        OutputFolder.prepare(output);
        new Quickstart(output, steps, seed, spec.commandLine().getOut()).run();
    }
}
