package io.github.panagrad.examples.command;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.examples.tuning.Method;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Says what of a model is trained.
final class MethodOptions {
    private enum Kind {
        FULL(5e-4),
        LORA(2e-3),
        SPARSE(1e-3);

        /// Chosen on the small models of the project's own tests; large ones want a tenth.
        private final double lr;

        Kind(double lr) {
            this.lr = lr;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--method",
            defaultValue = "lora",
            paramLabel = "METHOD",
            description = {
                "full: all parameters. lora: low-rank detours beside the frozen model. sparse: the"
                        + " entries with the largest gradients.",
                "Default: ${DEFAULT-VALUE}."
            })
    private Kind kind;

    @Option(
            names = "--rank",
            defaultValue = "8",
            paramLabel = "R",
            description = "lora: rank of the detours. Default: ${DEFAULT-VALUE}.")
    private int rank;

    @Option(
            names = "--alpha",
            paramLabel = "X",
            description = "lora: detours are multiplied by alpha/rank. Default: twice the rank.")
    private @Nullable Double alpha;

    @Option(
            names = "--dropout",
            defaultValue = "0",
            paramLabel = "P",
            description = "lora: share of the detours' inputs that is dropped. Default: 0.")
    private double dropout;

    @Option(
            names = "--targets",
            split = ",",
            paramLabel = "NAME",
            description =
                    "lora: layers to put detours on, by name (q_proj) or path pattern"
                            + " (model.layers.{0..3}.**). Default: all linear layers.")
    private @Nullable List<String> targets;

    @Option(
            names = "--density",
            defaultValue = "0.01",
            paramLabel = "X",
            description = "sparse: share of the entries that train. Default: ${DEFAULT-VALUE}.")
    private double density;

    @Option(
            names = "--lr",
            paramLabel = "X",
            description = "Learning rate. Default: 5e-4 for full, 2e-3 for lora, 1e-3 for sparse.")
    private @Nullable Double lr;

    MethodOptions() {}

    Method method() {
        return switch (kind) {
            case FULL -> new Method.Full();
            case LORA ->
                    new Method.LowRank(
                            Lora.rank(rank)
                                    .alpha(alpha == null ? 2.0 * rank : alpha)
                                    .dropout(dropout),
                            targets == null ? Method.ALL_LINEAR : targets);
            case SPARSE -> new Method.Sparse(density);
        };
    }

    double lr() {
        return lr == null ? kind.lr : lr;
    }
}
