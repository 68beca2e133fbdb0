package io.github.panagrad.bench.peers;

/// What is looked at as something grows, and how it should grow.
enum Growth {
    STEP_TIME("tokens of a step", "milliseconds", "time of a training step, 1 thread: linear"),
    STEP_MEMORY(
            "tokens of a sequence",
            "MB",
            "activations and gradients of a training step: linear in the sequence"),
    LOSS_MEMORY(
            "vocabulary",
            "MB",
            "linear + cross-entropy of 512 tokens, beside inputs and gradients: flat");

    private final String x;
    private final String y;
    private final String title;

    Growth(String x, String y, String title) {
        this.x = x;
        this.y = y;
        this.title = title;
    }

    String x() {
        return x;
    }

    String y() {
        return y;
    }

    String title() {
        return title;
    }

    /// Returns the name of its chart, without an ending.
    String file() {
        return "growth-" + name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
