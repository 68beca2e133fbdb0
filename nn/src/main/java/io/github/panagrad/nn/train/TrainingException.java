package io.github.panagrad.nn.train;

import io.github.panagrad.engine.ground.PanagradException;

/// Raised when training cannot go on; the parameters are those after the last good step.
public final class TrainingException extends PanagradException {
    private static final long serialVersionUID = 1L;

    private final long step;

    TrainingException(long step, String what, String got, String hint) {
        super("step " + step, what, got, "", hint);
        this.step = step;
    }

    /// Returns the number of the step that failed; the parameters are those of the step before.
    public long step() {
        return step;
    }
}
