package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.models.SentenceEmbedder;
import java.util.Arrays;

/// Mixes the rows of a batch into a hard positive and a semi-hard negative for each.
///
/// For row i, λ ~ Beta(a, a) drawn anew each time:
/// - hard positive: λ·(the row of i's class with the lowest cosine to it) + (1 − λ)·(the row of another
///   class with the highest); i itself where it is the only one of its class; none where the batch
///   has one class only;
/// - semi-hard negative: (1 − λ)·i + λ·(a row drawn by shuffling the batch), λ at least 0.8.
///
/// Source: Zhang et al. 2021, Core-tuning, arXiv 2102.06605, sections 3.2 and 3.3, and the authors'
/// repository; the search for the lowest cosine is mended, which there finds row 0 too often.
///
/// @param alpha the shape a of the beta distribution, above 0; 1 in the paper
/// @param positives which mixed rows are positives
public record HardPairMixer(double alpha, MixLabels positives) {
    private static final double LEAST_SHARE = 0.8;

    /// Uniform shares; hard positives have the class of their anchor.
    public static final HardPairMixer DEFAULT = new HardPairMixer(1, MixLabels.ANCHOR);

    /// What the contrastive loss takes mixed rows for.
    public enum MixLabels {
        /// A hard positive is of its anchor's class, as the paper has it; a semi-hard negative is of
        /// none.
        ANCHOR,
        /// Rows are positives of each other whose mixed labels are equal, as in the authors'
        /// repository; that is, mixed ones hardly ever are.
        EXACT
    }

    /// Checks the shape.
    public HardPairMixer {
        var checked = new BetaDistribution(alpha);
        alpha = checked.a();
    }

    /// Mixes a batch.
    ///
    /// Shapes: features (N, D).
    ///
    /// @param labels a class a row, from 0
    /// @param rng takes three draws
    public Mixture mix(Tensor features, int[] labels, Rng rng) {
        int n = labels.length;
        if (features.rank() != 2 || features.dim(0) != n) {
            throw new PanagradException(
                    "mixer",
                    "features and labels do not fit",
                    features.spec() + " and " + n + " labels",
                    "[N, D] and a label a row",
                    "");
        }
        var beta = new BetaDistribution(alpha);
        int[] partner = rng.draw().permutation(n);
        Rng.Draw negativeShares = rng.draw();
        Rng.Draw positiveShares = rng.draw();
        boolean severalClasses = Arrays.stream(labels).distinct().count() > 1;
        int rows = severalClasses ? 3 * n : 2 * n;
        double[][] shares = new double[rows][n];
        for (int i = 0; i < n; i++) {
            shares[i][i] = 1;
            double share = Math.max(LEAST_SHARE, beta.sample(negativeShares, i));
            shares[n + i][i] += 1 - share;
            shares[n + i][partner[i]] += share;
        }
        if (severalClasses) {
            Tensor z = SentenceEmbedder.normalised(features.detach());
            double[] cosines = z.matmul(z.transpose()).toDoubles();
            for (int i = 0; i < n; i++) {
                double share = beta.sample(positiveShares, i);
                shares[2 * n + i][hardPositive(cosines, labels, i)] += share;
                shares[2 * n + i][hardNegative(cosines, labels, i)] += 1 - share;
            }
        }
        return new Mixture(shares, labels, positives);
    }

    private static int hardPositive(double[] cosines, int[] labels, int i) {
        int n = labels.length;
        int found = i;
        double lowest = Double.POSITIVE_INFINITY;
        for (int j = 0; j < n; j++) {
            if (j != i && labels[j] == labels[i] && cosines[i * n + j] < lowest) {
                lowest = cosines[i * n + j];
                found = j;
            }
        }
        return found;
    }

    private static int hardNegative(double[] cosines, int[] labels, int i) {
        int n = labels.length;
        int found = -1;
        for (int j = 0; j < n; j++) {
            if (labels[j] != labels[i]
                    && (found < 0 || cosines[i * n + j] > cosines[i * n + found])) {
                found = j;
            }
        }
        return found;
    }
}
