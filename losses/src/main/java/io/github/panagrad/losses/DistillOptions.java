package io.github.panagrad.losses;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import org.jspecify.annotations.Nullable;

/// How [HeadDistillation] compares a student with its teacher.
///
/// @param direction which divergence
/// @param temperature T, above 0: both are softened by it and the divergence is multiplied by T²
///     (Hinton, Vinyals and Dean 2015, arXiv 1503.02531, section 2)
/// @param classes 1 for tokens of the vocabulary that count and 0 for others (V), or null for all;
///     forward only
/// @param memoryBudget how many bytes of logits of one model may exist at a time
public record DistillOptions(
        Direction direction, double temperature, @Nullable Tensor classes, long memoryBudget) {
    /// Forward, at temperature 1, over the whole vocabulary, 32 MiB at a time.
    public static final DistillOptions DEFAULT =
            new DistillOptions(Direction.FORWARD, 1, null, 32L << 20);

    /// Which divergence.
    public enum Direction {
        /// KL(teacher ‖ student): the student covers all that the teacher does.
        FORWARD,
        /// KL(student ‖ teacher): the student keeps to what the teacher finds likely.
        REVERSE,
        /// The Jensen–Shannon divergence of both.
        SYMMETRIC
    }

    /// Checks the ranges.
    public DistillOptions {
        if (!(temperature > 0) || memoryBudget <= 0) {
            throw new PanagradException(
                    "distillation",
                    "options are out of range",
                    "temperature " + temperature + ", memoryBudget " + memoryBudget,
                    "both above 0",
                    "");
        }
        if (classes != null && direction != Direction.FORWARD) {
            throw new PanagradException(
                    "distillation",
                    "classes are left out",
                    direction.toString(),
                    "Direction.FORWARD",
                    "the other divergences have no form with a mask");
        }
    }

    /// Returns the same with another divergence.
    public DistillOptions direction(Direction value) {
        return new DistillOptions(value, temperature, classes, memoryBudget);
    }

    /// Returns the same at another temperature.
    public DistillOptions temperature(double value) {
        return new DistillOptions(direction, value, classes, memoryBudget);
    }

    /// Returns the same over some of the vocabulary. Shapes: (V).
    public DistillOptions classes(@Nullable Tensor mask) {
        return new DistillOptions(direction, temperature, mask, memoryBudget);
    }

    /// Returns the same with another limit for the bytes of logits that exist at a time.
    public DistillOptions memoryBudget(long bytes) {
        return new DistillOptions(direction, temperature, classes, bytes);
    }
}
