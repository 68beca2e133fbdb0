package io.github.panagrad.examples.command;

import io.github.panagrad.examples.catalog.Entry;
import io.github.panagrad.examples.catalog.MethodTrial;
import io.github.panagrad.examples.catalog.Methods;
import io.github.panagrad.examples.catalog.ObjectiveCatalog;
import io.github.panagrad.examples.catalog.Setting;
import io.github.panagrad.examples.tuning.Method;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.models.CausalLM;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
                    + " was not trained on."
        })
public final class MethodsCommand implements Runnable {
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

    @Mixin private DataOptions reading;

    MethodsCommand() {}

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        out.println("# Methods and objectives");
        out.println();
        out.println("This page is written by `panagrad methods" + arguments() + "`.");
        methods(out);
        objectives(out);
        out.flush();
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
        out.println();
        out.println("## Methods (`--method`)");
        out.println();
        if (trial != null && trains) {
            out.printf(
                    Locale.ROOT,
                    "Trained for %d steps of %d rows, and measured on text held out. The untouched"
                            + " model: %.3f. Learning rates are the standard ones of each"
                            + " method, so that the figures tell that a method works, not which is"
                            + " best.%n%n",
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
        header(out, List.of("objective", "what", "formula", "source", "class"));
        for (Entry<?> entry : ObjectiveCatalog.CATALOG.entries()) {
            out.println("| " + String.join(" | ", cells(entry)) + " |");
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
