package io.github.panagrad.examples.command;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.examples.task.LabelModel;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.metrics.Calibration;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.FeatureClassifier;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Gives texts their labels.
@Command(
        name = "classify",
        description =
                "Gives texts their labels by a classifier that 'finetune' trained, each with its"
                        + " probability.")
public final class ClassifyCommand implements Runnable {
    @Spec private CommandSpec spec;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "Folder of the classifier, or of the encoder that the adapter is for.")
    private Path folder;

    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "Folder of the adapter, with the head in it.")
    private @Nullable Path adapter;

    @Option(names = "--json", description = "Print an object for each text and nothing else.")
    private boolean json;

    @Parameters(arity = "1..*", paramLabel = "TEXT", description = "What to label.")
    private List<String> texts;

    @SuppressWarnings("UnusedVariable") // acts as it is parsed
    @Mixin
    private ThreadOption threads;

    ClassifyCommand() {}

    @Override
    public void run() {
        FeatureClassifier model = LabelModel.load(folder, adapter);
        Tokenizer tokenizer = Tokenizer.load(folder);
        PrintWriter out = spec.commandLine().getOut();
        for (String text : texts) {
            BertInput input = BertInput.of(List.of(tokenizer.encode(text)), 0);
            double[] scores =
                    Ops.scope(
                            () -> Ops.noGrad(() -> model.logits(input, Context.EMPTY).toDoubles()));
            double[] shares = Calibration.softmax(scores, 1);
            int best = 0;
            for (int c = 1; c < shares.length; c++) {
                best = shares[c] > shares[best] ? c : best;
            }
            String label = model.labels().get(best);
            if (json) {
                out.println(
                        JsonObject.of("text", text, "label", label, "probability", shares[best]));
            } else {
                out.printf(Locale.ROOT, "%s\t%.3f\t%s%n", label, shares[best], text);
            }
        }
        out.flush();
    }
}
