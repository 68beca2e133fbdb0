package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.demo.Demonstration;
import io.github.panagrad.examples.demo.Demonstrations;
import io.github.panagrad.examples.demo.Outcome;
import io.github.panagrad.examples.demo.Outcomes;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Runs demonstrations of methods beside a plain arm.
@Command(
        name = "demo",
        description = {
            "Trains methods beside a plain arm, on the same data, steps and seeds, and says what"
                    + " shows, as Markdown.",
            "Without a name, lists what there is."
        })
public final class DemoCommand implements Runnable {
    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "NAME", arity = "0..*", description = "Which to run, or all.")
    private List<String> names = List.of();

    @Option(
            names = "--assets",
            defaultValue = "assets",
            paramLabel = "DIR",
            description =
                    "Folder with models and datasets. Default: ${DEFAULT-VALUE}. A demonstration"
                            + " says what it lacks.")
    private Path assets;

    @Option(
            names = "--seeds",
            defaultValue = "0",
            paramLabel = "N",
            description = "Runs of each arm. Default: as many as a demonstration usually has.")
    private int seeds;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description =
                    "File of figures to add to; those of the same demonstrations are replaced."
                            + " The command methods reads it.")
    private @Nullable Path json;

    @SuppressWarnings("UnusedVariable") // acts as it is parsed
    @Mixin
    private ThreadOption threads;

    DemoCommand() {}

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        if (seeds < 0) {
            throw new PanagradException("seeds", "out of range", "" + seeds, "1 or more", "");
        }
        if (names.isEmpty()) {
            for (Demonstration d : Demonstrations.ALL) {
                out.println(d.name() + ": " + String.join(", ", d.shows()));
            }
        }
        PrintWriter err = spec.commandLine().getErr();
        for (Demonstration d : Demonstrations.named(names)) {
            Outcome outcome = run(d, assets, seeds, err);
            if (json != null) {
                // Read anew: a run takes minutes, in which others may have added theirs.
                Outcomes.read(json).with(outcome).write(json);
            }
            out.println(Demonstrations.markdown(d, outcome));
            out.flush();
        }
    }

    /// Runs a demonstration.
    ///
    /// @param seeds how many seeds, 0 for the usual number
    static Outcome run(Demonstration demonstration, Path assets, int seeds, PrintWriter progress) {
        return demonstration.run(
                assets,
                seeds == 0 ? demonstration.usualSeeds() : seeds,
                line -> {
                    progress.println(line);
                    progress.flush();
                });
    }
}
