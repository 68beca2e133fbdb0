package io.github.panagrad.examples;

import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.examples.catalog.Methods;
import io.github.panagrad.examples.catalog.ObjectiveCatalog;
import io.github.panagrad.examples.command.ClassifyCommand;
import io.github.panagrad.examples.command.DeltaCommand;
import io.github.panagrad.examples.command.DemoCommand;
import io.github.panagrad.examples.command.EvalCommand;
import io.github.panagrad.examples.command.FinetuneCommand;
import io.github.panagrad.examples.command.GenerateCommand;
import io.github.panagrad.examples.command.InfoCommand;
import io.github.panagrad.examples.command.MergeCommand;
import io.github.panagrad.examples.command.MethodsCommand;
import io.github.panagrad.examples.command.PretrainCommand;
import io.github.panagrad.examples.command.QuickstartCommand;
import io.github.panagrad.examples.command.ScoreCommand;
import io.github.panagrad.examples.command.ShellCommand;
import io.github.panagrad.examples.rl.ExampleCommand;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// Runs the command line.
@Command(
        name = "panagrad",
        description = "Fine-tunes language models in pure Java, on the CPU.",
        mixinStandardHelpOptions = true,
        versionProvider = Panagrad.Version.class,
        scope = ScopeType.INHERIT,
        synopsisSubcommandLabel = "COMMAND",
        usageHelpAutoWidth = true,
        sortOptions = false,
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        parameterListHeading = "%n",
        descriptionHeading = "%n",
        exitCodeOnInvalidInput = Failure.EXIT_CODE,
        exitCodeOnExecutionException = Failure.EXIT_CODE,
        subcommands = {
            QuickstartCommand.class,
            FinetuneCommand.class,
            EvalCommand.class,
            ClassifyCommand.class,
            ScoreCommand.class,
            GenerateCommand.class,
            MergeCommand.class,
            DeltaCommand.class,
            MethodsCommand.class,
            DemoCommand.class,
            PretrainCommand.class,
            InfoCommand.class,
            ShellCommand.class,
            ExampleCommand.class
        })
public final class Panagrad implements Runnable {
    @Spec private CommandSpec spec;

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = {
                "Show the command that starts Java, which kernel ran each op and where, and the stack"
                        + " trace of an error."
            })
    private boolean verbose;

    Panagrad() {}

    /// Runs a command and ends the process with its exit code.
    public static void main(String[] arguments) {
        System.exit(run(arguments, writer(System.out), writer(System.err)));
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, stream.charset());
    }

    /// Runs a command.
    ///
    /// @param out for results
    /// @param err for errors
    /// @return 0, or 2 after an error
    static int run(String[] arguments, PrintWriter out, PrintWriter err) {
        var program = new Panagrad();
        var commandLine = new CommandLine(program);
        Objects.requireNonNull(commandLine.getSubcommands().get("finetune"))
                .getCommandSpec()
                .usageMessage()
                .footer(catalogs());
        commandLine.setOut(out);
        commandLine.setErr(err);
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setParameterExceptionHandler(Panagrad::misused);
        commandLine.setExecutionExceptionHandler(
                (failure, command, parsed) -> program.failed(failure, command));
        try {
            int code = commandLine.execute(arguments);
            if (program.verbose) {
                err.print(Backends.explain());
                err.flush();
            }
            return code;
        } catch (OutOfMemoryError | StackOverflowError | LinkageError failure) {
            return program.failed(failure, commandLine);
        }
    }

    /// Lists methods and objectives, a line each.
    private static String[] catalogs() {
        var lines = new ArrayList<String>();
        lines.add("");
        lines.add("Methods (--method):");
        Methods.CATALOG.lines().forEach(line -> lines.add("  " + line));
        lines.add("");
        lines.add("Objectives (--objective):");
        ObjectiveCatalog.CATALOG.lines().forEach(line -> lines.add("  " + line));
        // A percent sign would begin a format.
        return lines.stream().map(line -> line.replace("%", "%%")).toArray(String[]::new);
    }

    /// Without a command, says which there are.
    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    private static int misused(ParameterException misuse, String[] arguments) {
        CommandLine command = misuse.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        command.getErr()
                .println(name + ": " + Failure.line(misuse) + "; see '" + name + " --help'");
        return Failure.EXIT_CODE;
    }

    private int failed(Throwable failure, CommandLine command) {
        PrintWriter err = command.getErr();
        err.println(command.getCommandSpec().qualifiedName() + ": " + Failure.line(failure));
        if (verbose) {
            failure.printStackTrace(err);
        }
        return Failure.EXIT_CODE;
    }

    /// Names the version that the jar's manifest has.
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Panagrad.class.getPackage().getImplementationVersion();
            return new String[] {
                "Panagrad " + (version == null ? "(development build)" : version),
                "Java " + Runtime.version()
            };
        }
    }
}
