package io.github.panagrad.examples.command;

import io.github.panagrad.examples.catalog.Catalog;
import io.github.panagrad.examples.catalog.Entry;
import io.github.panagrad.examples.catalog.MethodTrial;
import io.github.panagrad.examples.catalog.Methods;
import io.github.panagrad.examples.catalog.ObjectiveCatalog;
import io.github.panagrad.examples.catalog.Setting;
import io.github.panagrad.examples.demo.Demonstration;
import io.github.panagrad.examples.demo.Demonstrations;
import io.github.panagrad.examples.demo.Outcome;
import io.github.panagrad.examples.demo.Outcomes;
import io.github.panagrad.examples.tuning.Method;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.models.CausalLM;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Lists methods and objectives; with a model, tries the methods on it.
@Command(
        name = "methods",
        description = {
            "Lists the methods and objectives that finetune knows, as a page of Markdown.",
            "With --model, says of each method how many parameters it trains; with --data and"
                    + " --eval-data too, trains each for some steps and gives the loss on text that"
                    + " was not trained on.",
            "With --demonstrations, adds what runs of the command demo showed; with --demonstrate,"
                    + " runs some or all first."
        })
public final class MethodsCommand implements Runnable {
    private static final String DEMONSTRATION = "demonstration";

    @Spec private CommandSpec spec;

    @Option(names = "--model", paramLabel = "DIR", description = "Folder of a model to try on.")
    private @Nullable Path model;

    @Option(names = "--data", paramLabel = "FILE", description = "Data to train on.")
    private @Nullable Path data;

    @Option(names = "--eval-data", paramLabel = "FILE", description = "Data to measure on.")
    private @Nullable Path evalData;

    @Option(
            names = "--steps",
            defaultValue = "40",
            paramLabel = "N",
            description = "Steps of each method. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--batch-size",
            defaultValue = "4",
            paramLabel = "N",
            description = "Rows a step. Default: ${DEFAULT-VALUE}.")
    private int batchSize;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "Decides order and initial values. Default: 0.")
    private long seed;

    @Option(
            names = "--demonstrations",
            paramLabel = "FILE",
            description = "Figures that demo --json wrote. With --demonstrate, added to.")
    private @Nullable Path demonstrations;

    @Option(
            names = "--demonstrate",
            split = ",",
            paramLabel = "NAME",
            description = "Demonstrations to run now, or all. See demo.")
    private List<String> demonstrate = List.of();

    @Option(
            names = "--assets",
            defaultValue = "assets",
            paramLabel = "DIR",
            description = "Folder with models and datasets to run them on. Default: assets.")
    private Path assets;

    @Mixin private DataOptions reading;

    private Outcomes outcomes = new Outcomes(Map.of());

    MethodsCommand() {}

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        demonstrate();
        out.println("# Methods and objectives");
        out.println();
        out.println("This page is written by `panagrad methods" + arguments() + "`.");
        methods(out);
        objectives(out);
        demonstrations(out);
        out.flush();
    }

    private void demonstrate() {
        if (demonstrations != null) {
            outcomes = Outcomes.read(demonstrations);
        }
        for (Demonstration d : Demonstrations.named(demonstrate)) {
            outcomes = outcomes.with(DemoCommand.run(d, assets, 0, spec.commandLine().getErr()));
            if (demonstrations != null) {
                outcomes.write(demonstrations);
            }
        }
    }

    /// Returns what was typed behind the command, without the folders of files.
    private String arguments() {
        return spec.commandLine().getParseResult().originalArgs().stream()
                .skip(1)
                .map(word -> " " + word.substring(word.lastIndexOf('/') + 1))
                .collect(Collectors.joining());
    }

    private void methods(PrintWriter out) {
        MethodTrial trial = model == null ? null : trial(model);
        boolean trains = trial != null && trial.training() != null;
        var columns = new ArrayList<>(List.of("method", "what", "formula", "source", "class"));
        if (trial != null) {
            columns.addAll(List.of("trains", "merges", "PEFT's format"));
        }
        if (trains) {
            columns.add("held-out loss");
        }
        boolean shown = isShown(Methods.CATALOG);
        if (shown) {
            columns.add(DEMONSTRATION);
        }
        out.println();
        out.println("## Methods (`--method`)");
        out.println();
        if (trial != null && trains) {
            out.printf(
                    Locale.ROOT,
                    "Trained for %d steps of %d rows, the same ones for all, and measured on text"
                            + " held out. The untouched model: %.3f; `full` is the plain arm."
                            + " Learning rates are the standard ones of each method, so that the"
                            + " figures tell that a method works, not which is best. What a method"
                            + " claims beyond that is for the demonstrations below.%n%n",
                    steps,
                    batchSize,
                    trial.untouched());
        }
        header(out, columns);
        for (Entry<Method> entry : Methods.CATALOG.entries()) {
            List<String> cells = cells(entry);
            if (trial != null) {
                add(cells, trial.of(Methods.CATALOG.make(entry.name())), trains);
            }
            if (shown) {
                cells.add(shown(entry));
            }
            out.println("| " + String.join(" | ", cells) + " |");
            out.flush();
        }
    }

    private static void add(List<String> cells, MethodTrial.@Nullable Result r, boolean trains) {
        if (r == null) {
            cells.addAll(List.of("does not fit this model", "", ""));
        } else {
            cells.add(String.format(Locale.ROOT, "%,d", r.trained()));
            cells.add(yes(r.merges()));
            cells.add(yes(r.peft()));
        }
        if (trains) {
            cells.add(r == null ? "" : String.format(Locale.ROOT, "%.3f", r.loss()));
        }
    }

    private static String yes(@Nullable Boolean answer) {
        return answer == null ? "a whole model" : answer ? "yes" : "no";
    }

    private void objectives(PrintWriter out) {
        out.println();
        out.println("## Objectives (`--objective`)");
        out.println();
        var columns = new ArrayList<>(List.of("objective", "what", "formula", "source", "class"));
        boolean shown = isShown(ObjectiveCatalog.CATALOG);
        if (shown) {
            columns.add(DEMONSTRATION);
        }
        header(out, columns);
        for (Entry<?> entry : ObjectiveCatalog.CATALOG.entries()) {
            List<String> cells = cells(entry);
            if (shown) {
                cells.add(shown(entry));
            }
            out.println("| " + String.join(" | ", cells) + " |");
        }
    }

    /// Returns links to the demonstrations of an entry that were run.
    private String shown(Entry<?> entry) {
        return Demonstrations.of(entry).stream()
                .map(Demonstration::name)
                .filter(outcomes.byName()::containsKey)
                .map(name -> "[" + name + "](#" + name + ")")
                .collect(Collectors.joining(", "));
    }

    /// Tells whether any entry of a catalogue has a demonstration that was run.
    private boolean isShown(Catalog<?> catalog) {
        return catalog.entries().stream().anyMatch(entry -> !shown(entry).isEmpty());
    }

    private void demonstrations(PrintWriter out) {
        if (outcomes.byName().isEmpty()) {
            return;
        }
        out.println();
        out.println("## Demonstrations");
        out.println();
        out.println(
                "Each is run by `panagrad demo NAME`: the methods beside a plain arm, on the same"
                        + " data, steps and seeds. Figures are means and standard deviations over"
                        + " the seeds. A claim is shown if the 95 percent interval of the mean gain"
                        + " over the arm compared with, run by run, lies on its side (Student's t);"
                        + " each claim is judged for itself.");
        var missing = new ArrayList<String>();
        for (Demonstration d : Demonstrations.ALL) {
            Outcome outcome = outcomes.byName().get(d.name());
            if (outcome == null) {
                missing.add("`" + d.name() + "`");
            } else {
                out.println();
                out.print(Demonstrations.markdown(d, outcome));
            }
        }
        if (!missing.isEmpty()) {
            out.println();
            out.println("Without figures so far: " + String.join(", ", missing) + ".");
        }
    }

    private static List<String> cells(Entry<?> entry) {
        String settings =
                entry.settings().stream().map(Setting::toString).collect(Collectors.joining(", "));
        String name = "`" + entry.name() + "`" + (settings.isEmpty() ? "" : " (" + settings + ")");
        return new ArrayList<>(
                List.of(
                        name,
                        entry.summary(),
                        entry.formula().replace("|", "\\|"),
                        entry.source(),
                        "`" + entry.type().getSimpleName() + "`"));
    }

    private static void header(PrintWriter out, List<String> columns) {
        out.println("| " + String.join(" | ", columns) + " |");
        out.println("|" + "---|".repeat(columns.size()));
    }

    private MethodTrial trial(Path folder) {
        Dataset training = null;
        Dataset heldOut = null;
        if (data != null && evalData != null) {
            CausalLM reader = CausalLM.load(folder);
            // As long as the longest prompt of any method leaves room for.
            int positions =
                    Methods.CATALOG.entries().stream()
                            .mapToInt(e -> Methods.CATALOG.make(e.name()).positions())
                            .max()
                            .orElse(0);
            reading.reserve(positions);
            training = reading.read(data, reader, folder);
            heldOut = reading.read(evalData, reader, folder);
        }
        return new MethodTrial(folder, training, heldOut, steps, batchSize, seed);
    }
}
