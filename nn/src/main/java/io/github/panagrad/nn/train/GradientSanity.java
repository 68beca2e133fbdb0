package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.op.SumOfSquares;
import io.github.panagrad.engine.tape.Tape;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Reports trainable parameters that get no gradient, or only zeros, in all of the first steps: the
/// sign of a layer that is left out, detached or dead.
///
/// One step alone proves nothing: the first factor of a low-rank adapter has a zero gradient until
/// the second has moved.
public final class GradientSanity implements GradTransform {
    private final List<Parameter> parameters;
    private final int steps;
    private final Consumer<String> report;
    private final Map<Parameter, String> suspects = new LinkedHashMap<>();
    private int seen;

    /// Creates a check over the first `steps` steps it sees.
    ///
    /// @param report called with a line for each suspect, after the last of these steps
    public GradientSanity(Collection<Parameter> parameters, int steps, Consumer<String> report) {
        this.parameters = List.copyOf(parameters);
        this.steps = steps;
        this.report = report;
    }

    @Override
    public Grads apply(Grads grads, double count, Step step) {
        if (seen >= steps) {
            return grads;
        }
        seen++;
        for (Parameter p : parameters) {
            if (p.isTrainable() && (seen == 1 || suspects.containsKey(p))) {
                String fault = grads.find(p).map(GradientSanity::fault).orElse("no gradient");
                if (fault.isEmpty()) {
                    suspects.remove(p);
                } else {
                    suspects.put(p, fault);
                }
            }
        }
        if (seen == steps) {
            suspects.forEach((p, fault) ->
                    report.accept(
                            "parameter "
                                    + p.name()
                                    + ": "
                                    + fault
                                    + " in the first "
                                    + steps
                                    + (steps == 1 ? " step" : " steps")));
        }
        return grads;
    }

    private static String fault(Tensor grad) {
        return sumOfSquares(grad) == 0 ? "a gradient of zeros only" : "";
    }

    static double sumOfSquares(Tensor grad) {
        return Ops.noGrad(() -> Tape.one(new SumOfSquares(), grad).item());
    }
}
