package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.train.StepMetrics;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// Says when an [Unlearn] run may end: when the mean probability of the concept, as the objective
/// reports it, has fallen below a bound.
///
/// ```java
/// var gone = new ConceptGone(0.01);
/// Trainer.of(model, optimizer, objective).onStep(gone).stopWhen(gone) …
/// ```
public final class ConceptGone implements Consumer<StepMetrics>, BooleanSupplier {
    private final double bound;
    private boolean isGone;

    /// Creates a stop.
    ///
    /// @param bound above 0 and at most 1; 0.01 is common
    public ConceptGone(double bound) {
        if (!(bound > 0 && bound <= 1)) {
            throw new PanagradException(
                    "conceptGone", "bound is out of range", "" + bound, "above 0, at most 1", "");
        }
        this.bound = bound;
    }

    @Override
    public void accept(StepMetrics metrics) {
        Double probability = metrics.report().get("concept");
        isGone = probability != null && probability < bound;
    }

    @Override
    public boolean getAsBoolean() {
        return isGone;
    }
}
