package io.github.panagrad.examples.rl;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.ValueBins;
import io.github.panagrad.losses.ValueCoding;
import io.github.panagrad.losses.ValueLosses;

/// One way to learn a value: what a network's outputs mean, and the loss that holds them to what
/// follows.
public enum ValueArm {
    /// One output, and its squared error.
    MSE,
    /// Bins, and targets shared between the two beside a number.
    TWO_HOT,
    /// Bins, and targets spread as a normal distribution.
    HL_GAUSS,
    /// Bins, and the distribution of what follows, moved by the reward: C51.
    C51;

    /// The deviation of HL-Gauss in widths of a bin that the paper uses.
    public static final double USUAL_SIGMA = 0.75;

    /// Returns what the outputs mean.
    ///
    /// @param low where the bins begin
    /// @param high where they end
    /// @param bins how many there are
    public ValueCoding coding(double low, double high, int bins) {
        return coding(low, high, bins, USUAL_SIGMA);
    }

    /// Returns what the outputs mean, with another deviation of HL-Gauss.
    public ValueCoding coding(double low, double high, int bins, double sigmaRatio) {
        return switch (this) {
            case MSE -> ValueCoding.squaredError();
            case HL_GAUSS -> ValueCoding.hlGauss(low, high, bins, sigmaRatio);
            case TWO_HOT, C51 -> ValueCoding.twoHot(low, high, bins);
        };
    }

    /// Computes the losses of transitions. Shapes: outputs (B, outputs), next (B, actions, outputs) →
    /// (B).
    ///
    /// @param outputs the network's, for the actions taken
    /// @param next the target network's, for all actions in the states that follow
    Tensor loss(
            ValueCoding coding,
            Tensor outputs,
            Tensor next,
            ReplayBuffer.Sample sample,
            double gamma) {
        double[] values = coding.values(next).toDoubles();
        if (this == C51 && coding instanceof ValueCoding.Binned binned) {
            ValueBins bins = binned.bins();
            double[] best = ofBest(next, values);
            return ValueLosses.valueCrossEntropy(
                    outputs, bins.project(best, sample.rewards(), gamma, sample.done()));
        }
        return coding.loss(
                outputs, ValueLosses.tdTargets(sample.rewards(), values, gamma, sample.done()));
    }

    /// Returns the probabilities of the bins for the best action, a row after another.
    private static double[] ofBest(Tensor next, double[] values) {
        int rows = next.dim(0);
        int actions = next.dim(1);
        int bins = next.dim(2);
        double[] all = Ops.softmax(next, -1).toDoubles();
        double[] best = new double[rows * bins];
        for (int i = 0; i < rows; i++) {
            int action = Dqn.best(values, i * actions, actions);
            System.arraycopy(all, (i * actions + action) * bins, best, i * bins, bins);
        }
        return best;
    }
}
