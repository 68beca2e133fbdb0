package io.github.panagrad.examples.rl;

import io.github.panagrad.nn.metrics.Spread;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Compares regression with classification where a language model's states say a number.
@Command(
        name = "length",
        description =
                "Learns from a model's states how many tokens of a story are left, by squared error and"
                        + " by classification, and compares them on other stories.")
public final class LengthCommand implements Runnable {
    private static final List<ValueArm> ARMS =
            List.of(ValueArm.MSE, ValueArm.TWO_HOT, ValueArm.HL_GAUSS);

    @Spec private CommandSpec spec;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "FOLDER",
            description = "A story model.")
    private Path model;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description = "Stories, each beginning with 'Once upon a time'.")
    private Path data;

    @Option(
            names = "--steps",
            defaultValue = "600",
            paramLabel = "N",
            description = "Steps of 64 places. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--lr",
            defaultValue = "3e-3",
            paramLabel = "X",
            description = "Learning rate at first. Default: ${DEFAULT-VALUE}.")
    private double lr;

    @Option(
            names = "--seeds",
            defaultValue = "3",
            paramLabel = "N",
            description = "Runs of each arm. Default: ${DEFAULT-VALUE}.")
    private int seeds;

    LengthCommand() {}

    @Override
    public void run() {
        CausalLM stories = CausalLM.load(model);
        List<String> texts = RemainingLength.stories(data);
        var out = spec.commandLine().getOut();
        var parts = new ArrayList<RemainingLength>();
        for (int seed = 0; seed < Math.max(1, seeds); seed++) {
            parts.add(RemainingLength.of(stories, texts, seed));
        }
        out.printf(
                Locale.ROOT,
                "%d stories, %d places to learn from; errors in logarithms of tokens%n",
                texts.size(),
                parts.getFirst().size());
        out.printf("%-10s %-16s %-16s %s%n", "value", "absolute error", "squared", "correlation");
        for (ValueArm arm : ARMS) {
            double[] absolute = new double[parts.size()];
            double[] squared = new double[parts.size()];
            double[] correlation = new double[parts.size()];
            for (int seed = 0; seed < parts.size(); seed++) {
                var result = parts.get(seed).run(arm, steps, lr, seed);
                absolute[seed] = result.absoluteError();
                squared[seed] = result.squaredError();
                correlation[seed] = result.correlation();
            }
            out.printf(
                    "%-10s %-16s %-16s %s%n",
                    arm.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    Spread.of(absolute),
                    Spread.of(squared),
                    Spread.of(correlation));
        }
    }
}
