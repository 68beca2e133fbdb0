package io.github.panagrad.nn.optim;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.PathPattern;
import java.util.OptionalDouble;

/// Settings of their own for the parameters that a pattern covers.
///
/// ```java
/// ParamGroup.of("**.{bias,*norm.weight}").weightDecay(0)
/// ```
///
/// @param pattern which parameters, by name
/// @param lr their learning rate; the optimizer's if empty
/// @param weightDecay their weight decay; the optimizer's if empty
public record ParamGroup(PathPattern pattern, OptionalDouble lr, OptionalDouble weightDecay) {
    /// Creates a group with the optimizer's settings.
    public static ParamGroup of(String pattern) {
        return new ParamGroup(
                PathPattern.of(pattern), OptionalDouble.empty(), OptionalDouble.empty());
    }

    /// Sets the learning rate, which the schedule multiplies.
    public ParamGroup lr(double value) {
        requireNotNegative("lr", value);
        return new ParamGroup(pattern, OptionalDouble.of(value), weightDecay);
    }

    /// Sets the weight decay.
    public ParamGroup weightDecay(double value) {
        requireNotNegative("weightDecay", value);
        return new ParamGroup(pattern, lr, OptionalDouble.of(value));
    }

    static void requireNotNegative(String name, double value) {
        if (!(value >= 0 && Double.isFinite(value))) {
            throw new PanagradException(
                    "optimizer", name + " out of range", "" + value, ">= 0", "");
        }
    }
}
