package io.github.panagrad.examples.rl;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// Runs examples that are no fine-tuning of a language model.
@Command(
        name = "example",
        description = "Runs an example: learning to act, and learning numbers by classification.",
        subcommands = {RlCommand.class, LengthCommand.class})
public final class ExampleCommand implements Runnable {
    @Spec private CommandSpec spec;

    ExampleCommand() {}

    /// Without an example, says which there are.
    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
