package io.github.panagrad.nn.metrics;

import io.github.panagrad.engine.ground.PanagradException;

/// What all figures refuse.
final class Checks {
    private Checks() {}

    static void sameLength(String metric, int a, int b) {
        if (a != b || a == 0) {
            throw new PanagradException(
                    metric,
                    "rows do not pair up",
                    a + " and " + b,
                    "equally many, at least one",
                    "");
        }
    }

    static void require(String metric, boolean holds, String what, Object got, String expected) {
        if (!holds) {
            throw new PanagradException(metric, what, String.valueOf(got), expected, "");
        }
    }

    static void label(String metric, int label, int classes) {
        require(metric, label >= 0 && label < classes, "no such label", label, "below " + classes);
    }
}
