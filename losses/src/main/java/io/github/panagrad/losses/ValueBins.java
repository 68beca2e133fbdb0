package io.github.panagrad.losses;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.Arrays;

/// A range of numbers cut into bins, so that a number is predicted by classification: value functions,
/// rewards, and other regression (Farebrother et al. 2024, Stop Regressing, arXiv 2403.03950).
///
/// A head gives a logit a bin; the prediction is the mean of the bins' places under their softmax.
/// The loss is [DistributionLosses#softTargetCrossEntropy] against what one of the targets here gives.
///
/// ```java
/// ValueBins bins = ValueBins.centres(-10, 10, 51);
/// Tensor loss = DistributionLosses.softTargetCrossEntropy(logits, bins.hlGauss(values, 0.75)).mean();
/// Tensor predicted = bins.expectation(logits);
/// ```
///
/// @param low where the range begins
/// @param high where it ends
/// @param count how many bins there are
/// @param points whether bins stand for points, the ends among them; otherwise for stretches, by their
///     centres
public record ValueBins(double low, double high, int count, boolean points) {
    /// Checks the range.
    public ValueBins {
        if (!(low < high) || count < 2) {
            throw new PanagradException(
                    "valueBins",
                    "no range to cut",
                    count + " bins on [" + low + ", " + high + "]",
                    "at least 2 bins, and low below high",
                    "");
        }
    }

    /// Cuts a range into points, the ends among them: for [#twoHot] and [#project].
    public static ValueBins points(double low, double high, int count) {
        return new ValueBins(low, high, count, true);
    }

    /// Cuts a range into stretches of one width: for [#hlGauss].
    public static ValueBins centres(double low, double high, int count) {
        return new ValueBins(low, high, count, false);
    }

    /// Returns how far apart the bins' places are.
    public double width() {
        return (high - low) / (points ? count - 1 : count);
    }

    /// Returns the bins' places, ascending.
    public double[] places() {
        double[] places = new double[count];
        for (int i = 0; i < count; i++) {
            places[i] = low + (i + (points ? 0 : 0.5)) * width();
        }
        return places;
    }

    /// Returns the predicted numbers, Σ softmax(logits)ᵢ·placeᵢ.
    ///
    /// Shapes: logits (…, count) → (…).
    public Tensor expectation(Tensor logits) {
        return Ops.softmax(logits, -1).mul(Constants.like(logits, places())).sum(-1, false);
    }

    /// Returns targets that share each number between its two neighbours, so that their mean is the
    /// number.
    ///
    /// Shapes: → (N, count). Source: section 3.1 of the paper.
    ///
    /// @param values numbers; those outside of the range count as its ends
    public Tensor twoHot(double... values) {
        double[] targets = new double[values.length * count];
        for (int i = 0; i < values.length; i++) {
            addShares(values[i], 1, targets, i * count);
        }
        return Ops.tensor64(targets, values.length, count);
    }

    /// Returns targets that spread each number as a normal distribution, cut at the ends of the range.
    ///
    /// Shapes: → (N, count). Source: section 3.1 of the paper, HL-Gauss (Imani and White 2018).
    ///
    /// @param values numbers; those outside of the range count as its ends
    /// @param sigmaRatio the deviation in widths of a bin, above 0; 0.75 in the paper
    public Tensor hlGauss(double[] values, double sigmaRatio) {
        if (points || !(sigmaRatio > 0)) {
            throw new PanagradException(
                    "hlGauss",
                    points ? "the bins are points" : "sigmaRatio is out of range",
                    points ? "" : "" + sigmaRatio,
                    "bins by ValueBins.centres, sigmaRatio above 0",
                    "");
        }
        double[] edges = new double[values.length * (count + 1)];
        for (int i = 0; i < values.length; i++) {
            double value = Math.clamp(values[i], low, high);
            for (int e = 0; e <= count; e++) {
                edges[i * (count + 1) + e] =
                        (low + e * width() - value) / (Math.sqrt(2) * sigmaRatio * width());
            }
        }
        Tensor cumulative = Ops.tensor64(edges, values.length, count + 1).erf();
        Tensor mass = cumulative.narrow(1, 1, count).sub(cumulative.narrow(1, 0, count));
        return mass.div(mass.sum(-1, true));
    }

    /// Returns the distributions of reward + γ·value, where values have the given ones, back on these
    /// points: the target of C51.
    ///
    /// Shapes: → (N, count). Source: Bellemare, Dabney and Munos 2017, arXiv 1707.06887, algorithm 1.
    ///
    /// @param probabilities of the values that follow, (N, count), a row after another
    /// @param rewards a number a row
    /// @param gamma γ, from 0 to 1
    /// @param done whether nothing follows in a row: the reward is all then
    public Tensor project(double[] probabilities, double[] rewards, double gamma, boolean[] done) {
        if (!points) {
            throw new PanagradException(
                    "project", "the bins are no points", "", "bins by ValueBins.points", "");
        }
        int rows = rewards.length;
        if (probabilities.length != rows * count || done.length != rows) {
            throw new PanagradException(
                    "project",
                    "rows do not fit",
                    probabilities.length + " probabilities, " + rows + " rewards, " + done.length,
                    count + " probabilities and a mark for each reward",
                    "");
        }
        double[] places = places();
        double[] targets = new double[rows * count];
        for (int i = 0; i < rows; i++) {
            double[] following = Arrays.copyOfRange(probabilities, i * count, (i + 1) * count);
            for (int j = 0; j < count; j++) {
                double value = rewards[i] + (done[i] ? 0 : gamma * places[j]);
                addShares(value, following[j], targets, i * count);
            }
        }
        return Ops.tensor64(targets, rows, count);
    }

    /// Shares an amount between the two points beside a number.
    private void addShares(double value, double amount, double[] targets, int row) {
        if (!points) {
            throw new PanagradException(
                    "twoHot", "the bins are no points", "", "bins by ValueBins.points", "");
        }
        double at = (Math.clamp(value, low, high) - low) / width();
        int left = Math.min((int) at, count - 2);
        double right = at - left;
        targets[row + left] += amount * (1 - right);
        targets[row + left + 1] += amount * right;
    }
}
