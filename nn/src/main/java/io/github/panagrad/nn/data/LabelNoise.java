package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.util.Arrays;

/// Makes labels wrong at random, for experiments with losses that bear it.
///
/// What befalls a row's label depends on the seed, the row and the label alone.
public final class LabelNoise {
    private final double[][] transition;
    private final long seed;

    private LabelNoise(double[][] transition, long seed) {
        this.transition = transition;
        this.seed = seed;
    }

    /// Replaces a share of labels by one of the others, each as likely.
    ///
    /// @param classes how many labels there are, at least 2
    /// @param rate the share, from 0 to 1
    public static LabelNoise symmetric(int classes, double rate, long seed) {
        if (classes < 2 || !(rate >= 0 && rate <= 1)) {
            throw new PanagradException(
                    "labelNoise",
                    "out of range",
                    classes + " classes, rate " + rate,
                    "at least 2 classes, a rate from 0 to 1",
                    "");
        }
        double[][] shares = new double[classes][classes];
        for (int c = 0; c < classes; c++) {
            Arrays.fill(shares[c], rate / (classes - 1));
            shares[c][c] = 1 - rate;
        }
        return new LabelNoise(shares, seed);
    }

    /// Replaces labels by others with the probabilities of the label's row.
    ///
    /// @param transition for each label how likely it becomes which: rows from 0 to 1 that sum to 1
    public static LabelNoise classDependent(double[][] transition, long seed) {
        double[][] copy = new double[transition.length][];
        for (int c = 0; c < copy.length; c++) {
            copy[c] = transition[c].clone();
            double sum = Arrays.stream(copy[c]).sum();
            boolean negative = Arrays.stream(copy[c]).anyMatch(p -> !(p >= 0));
            if (copy[c].length != copy.length || negative || Math.abs(sum - 1) > 1e-9) {
                throw new PanagradException(
                        "labelNoise",
                        "row " + c + " is no distribution over the labels",
                        Arrays.toString(copy[c]),
                        copy.length + " numbers from 0 that sum to 1",
                        "");
            }
        }
        return new LabelNoise(copy, seed);
    }

    /// Returns what becomes of a label; a negative one, which is ignored, stays.
    ///
    /// @param row the number of the row in the data
    /// @throws PanagradException if there is no such label
    public int apply(long row, int label) {
        if (label < 0) {
            return label;
        }
        if (label >= transition.length) {
            throw new PanagradException(
                    "labelNoise", "no such label", "" + label, "below " + transition.length, "");
        }
        double u = new Rng.Draw(seed, 0).uniform(row) - transition[label][label];
        if (u < 0) {
            return label;
        }
        int last = label;
        for (int c = 0; c < transition.length; c++) {
            if (c != label && transition[label][c] > 0) {
                last = c;
                u -= transition[label][c];
                if (u < 0) {
                    return c;
                }
            }
        }
        return last;
    }

    /// Returns what becomes of the labels of rows 0, 1, ….
    public int[] apply(int[] labels) {
        int[] noisy = new int[labels.length];
        for (int row = 0; row < noisy.length; row++) {
            noisy[row] = apply(row, labels[row]);
        }
        return noisy;
    }
}
