package io.github.panagrad.adapters;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import java.util.Map;

/// What settings and files of LoHa and LoKr have in common; PEFT has both from LyCORIS.
final class Lycoris {
    private static final int USUAL_RANK = 8;

    private Lycoris() {}

    /// Checks the numbers that both have.
    static void requireRange(String method, int rank, double alpha) {
        if (rank < 1 || !(alpha > 0)) {
            throw new PanagradException(
                    method,
                    "out of range",
                    "rank " + rank + ", alpha " + alpha,
                    "rank >= 1, alpha > 0",
                    "");
        }
    }

    /// Returns PEFT's fields that both have.
    static JsonObject config(int rank, double alpha, DeltaDropout dropout) {
        return JsonObject.of(
                "r",
                rank,
                "alpha",
                PeftFiles.number(alpha),
                "rank_dropout",
                dropout.rank(),
                "module_dropout",
                dropout.module(),
                "use_effective_conv2d",
                false,
                "init_weights",
                true,
                "rank_pattern",
                Map.of(),
                "alpha_pattern",
                Map.of());
    }

    /// Reads the rank of all layers.
    static int rank(JsonObject config) {
        PeftFiles.requireEmpty(config, "rank_pattern");
        return config.integer("r", USUAL_RANK);
    }

    /// Reads the alpha of all layers.
    static double alpha(JsonObject config) {
        PeftFiles.requireEmpty(config, "alpha_pattern");
        return config.number("alpha", USUAL_RANK);
    }
}
