package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.objective.HardPairMixer.MixLabels;
import java.util.Arrays;

/// Rows mixed of the N rows of a batch: first these themselves, then what was made of each.
///
/// A mixed row is a weighted sum, so features and labels are mixed by one matrix of shares.
public final class Mixture {
    private final double[][] shares;
    private final int[] labels;
    private final MixLabels positives;

    Mixture(double[][] shares, int[] labels, MixLabels positives) {
        this.shares = shares;
        this.labels = labels;
        this.positives = positives;
    }

    /// Returns how many rows there are: 3N, or 2N without hard positives.
    public int rows() {
        return shares.length;
    }

    /// Returns what share each row of the batch has in a mixed row; they sum to 1.
    public double[] shares(int row) {
        return shares[row].clone();
    }

    /// Mixes features. Shapes: (N, D) → (rows, D).
    public Tensor features(Tensor features) {
        return like(features, shares, labels.length).matmul(features);
    }

    /// Returns the mixed labels as probabilities, of a tensor's type and on its device.
    ///
    /// Shapes: → (rows, classes).
    ///
    /// @throws PanagradException if there are not so many classes
    public Tensor softLabels(Tensor like, int classes) {
        double[][] soft = new double[rows()][];
        for (int r = 0; r < soft.length; r++) {
            soft[r] = softLabel(r, classes);
        }
        return like(like, soft, classes);
    }

    private double[] softLabel(int row, int classes) {
        double[] soft = new double[classes];
        for (int j = 0; j < labels.length; j++) {
            if (labels[j] >= classes) {
                throw new PanagradException(
                        "mixer", "a label is out of range", "" + labels[j], "below " + classes, "");
            }
            soft[labels[j]] += shares[row][j];
        }
        return soft;
    }

    /// Returns which rows are positives of each other in a contrastive loss.
    public boolean[][] positives() {
        boolean[][] marks = new boolean[rows()][rows()];
        int classes = Arrays.stream(labels).max().orElse(-1) + 1;
        for (int i = 0; i < rows(); i++) {
            for (int j = 0; j < rows(); j++) {
                marks[i][j] = i != j && alike(i, j, classes);
            }
        }
        return marks;
    }

    private boolean alike(int i, int j, int classes) {
        if (positives == MixLabels.EXACT) {
            return Arrays.equals(softLabel(i, classes), softLabel(j, classes));
        }
        int n = labels.length;
        boolean negative = i / n == 1 || j / n == 1;
        return !negative && labels[i % n] == labels[j % n];
    }

    private static Tensor like(Tensor tensor, double[][] values, int width) {
        double[] flat = Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
        return Ops.tensor(tensor.dtype(), flat, values.length, width).to(tensor.device());
    }
}
