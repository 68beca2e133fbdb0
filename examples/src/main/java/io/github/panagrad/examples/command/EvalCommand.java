package io.github.panagrad.examples.command;

import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Evaluation;
import io.github.panagrad.nn.train.Evaluator;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Measures how well a model predicts a text.
@Command(
        name = "eval",
        description =
                "Measures how well a model predicts data: mean negative log-likelihood in nats over"
                        + " all predicted tokens, and its exponential, the perplexity; for rows with"
                        + " right answers, how often samples are right too.")
public final class EvalCommand implements Runnable {
    @Spec private CommandSpec spec;
    @Mixin private ModelOptions source;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description =
                    "Text (.txt), or rows (.jsonl) of {\"text\"}, {\"prompt\", \"completion\"} or"
                            + " {\"input_ids\", \"labels\"?}.")
    private Path data;

    @Mixin private DataOptions reading;

    @Mixin private AnswerOptions answers;

    @Option(
            names = "--batch-size",
            defaultValue = "8",
            paramLabel = "N",
            description = "Rows that are computed together. Default: ${DEFAULT-VALUE}.")
    private int batchSize;

    @Option(
            names = "--json",
            description =
                    "Print {\"loss\":…,\"perplexity\":…,\"tokens\":…}, with what else is asked for,"
                            + " and nothing else.")
    private boolean json;

    @SuppressWarnings("UnusedVariable") // acts as it is parsed
    @Mixin
    private ThreadOption threads;

    @Mixin private DeviceOption where;

    EvalCommand() {}

    @Override
    public void run() {
        CausalLM model = source.load();
        model.to(where.device());
        Dataset dataset = reading.read(data, model, source.folder());
        Evaluation evaluation = Evaluator.of(model).run(Batches.of(dataset).size(batchSize));
        Map<String, Double> more = answers.measure(model, dataset, batchSize);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            var all = new LinkedHashMap<String, Object>();
            all.put("loss", evaluation.loss());
            all.put("perplexity", evaluation.perplexity());
            all.put("tokens", evaluation.tokens());
            all.putAll(more);
            out.println(JsonObject.of(all));
        } else {
            out.printf(
                    Locale.ROOT,
                    "loss %.4f nats per token, perplexity %.2f, over %,d tokens%n",
                    evaluation.loss(),
                    evaluation.perplexity(),
                    evaluation.tokens());
            more.forEach((name, value) -> out.printf(Locale.ROOT, "%s %.4f%n", name, value));
        }
    }
}
