package io.github.panagrad.examples.command;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Puts an adapter into the weights for good.
@Command(
        name = "merge",
        description =
                "Puts an adapter into the weights and writes the result as a model of its own.")
public final class MergeCommand implements Runnable {
    private static final int PROBE = 32;

    @Spec private CommandSpec spec;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "Folder of the model that the adapter was trained on.")
    private Path folder;

    @Option(
            names = "--adapter",
            required = true,
            paramLabel = "DIR",
            description = "Folder of the adapter.")
    private Path adapterFolder;

    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            description = "Folder to write the merged model to.")
    private Path output;

    MergeCommand() {}

    @Override
    public void run() {
        OutputFolder.prepare(output);
        CausalLM model = CausalLM.load(folder);
        Adapter adapter = Adapter.load(model, adapterFolder);
        double difference = adapter.merge(() -> probe(model));
        adapter.mergeAndDetach();
        model.save(output);
        spec.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        "merged model in %s; largest difference of a logit to model and adapter:"
                                + " %.2g%n",
                        output,
                        difference);
    }

    /// Computes logits on tokens spread over the vocabulary.
    private static Tensor probe(CausalLM model) {
        int vocabulary = model.config().vocabSize();
        int count = Math.min(PROBE, model.config().maxPositions());
        int[] ids = IntStream.range(0, count).map(i -> (int) (i * 7919L % vocabulary)).toArray();
        return model.logits(model.hidden(Ops.indices(ids, count)));
    }
}
