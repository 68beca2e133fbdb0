package io.github.panagrad.losses;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.Arrays;

/// Weights of classes that are of unequal size, for [CrossEntropyOptions#classWeights].
public final class ClassWeights {
    private ClassWeights() {}

    /// Counts the examples of each class; negative labels, which are ignored, are not counted.
    ///
    /// @param classes how many there are
    /// @throws PanagradException if a label is none of them
    public static int[] counts(int[] labels, int classes) {
        int[] counts = new int[classes];
        for (int label : labels) {
            if (label >= classes) {
                throw new PanagradException(
                        "classWeights", "no such label", "" + label, "below " + classes, "");
            }
            if (label >= 0) {
                counts[label]++;
            }
        }
        return counts;
    }

    /// Returns n/(C·n_c): every class weighs as much in sum as any other.
    ///
    /// Shapes: C counts → (C).
    ///
    /// @throws PanagradException if a class has no example
    public static Tensor balanced(int... counts) {
        check("balanced", counts);
        double total = Arrays.stream(counts).asLongStream().sum();
        return Ops.tensor(
                Arrays.stream(counts)
                        .mapToDouble(n -> total / (counts.length * (double) n))
                        .toArray());
    }

    /// Returns (1 − β)/(1 − β^n_c), the inverse of the effective number of examples.
    ///
    /// Shapes: C counts → (C). Source: Cui et al. 2019, Class-Balanced Loss, eq. 6.
    ///
    /// @param beta from 0, where all weigh 1, to below 1, towards which they weigh 1/n_c
    /// @throws PanagradException if a class has no example
    public static Tensor effective(double beta, int... counts) {
        check("effective", counts);
        if (!(beta >= 0 && beta < 1)) {
            throw new PanagradException(
                    "effective", "beta is out of range", "" + beta, "0 to below 1", "");
        }
        return Ops.tensor(
                Arrays.stream(counts)
                        .mapToDouble(n -> (1 - beta) / -Math.expm1(n * Math.log(beta)))
                        .toArray());
    }

    private static void check(String op, int[] counts) {
        for (int c = 0; c < counts.length; c++) {
            if (counts[c] <= 0) {
                throw new PanagradException(
                        op,
                        "a class has no example",
                        counts[c] + " of class " + c,
                        "at least 1",
                        "leave the class out, or weigh by hand");
            }
        }
    }
}
