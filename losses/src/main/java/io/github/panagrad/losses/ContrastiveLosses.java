package io.github.panagrad.losses;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.Arrays;

/// Losses that draw like to like: supervised contrastive, InfoNCE and triplet.
///
/// Features are normalised here; only their directions count, save in the triplet loss.
public final class ContrastiveLosses {
    private static final double SMALLEST_NORM = 1e-12;

    /// Far below all similarities, and finite, so that no row yields NaN.
    private static final double HIDDEN = -1e30;

    private ContrastiveLosses() {}

    /// How the supervised contrastive loss weighs its pairs.
    ///
    /// @param temperature what cosines are divided by, above 0
    /// @param focal whether a pair counts for 1 − π, so that what is already close counts for less
    /// @param detachWeight whether that weight is a constant
    /// @param perPositive whether an anchor's pairs are averaged, so that each anchor counts for one;
    ///     otherwise they are divided by the size of the batch
    public record SupConOptions(
            double temperature, boolean focal, boolean detachWeight, boolean perPositive) {
        /// Temperature 0.1, no focal weight, an average over the positives.
        public static final SupConOptions DEFAULT = new SupConOptions(0.1, false, false, true);

        /// Checks the temperature.
        public SupConOptions {
            if (!(temperature > 0)) {
                throw new PanagradException(
                        "supCon", "temperature is out of range", "" + temperature, "above 0", "");
            }
        }

        /// Returns the same with another temperature.
        public SupConOptions temperature(double value) {
            return new SupConOptions(value, focal, detachWeight, perPositive);
        }
    }

    /// Computes the mean supervised contrastive loss of a batch, over the rows that have another of
    /// their class: −log of the share that a row of the same class has among all others.
    ///
    /// Shapes: features (N, D) → (). Source: Khosla et al. 2020, arXiv 2004.11362, eq. 2; focal weight:
    /// Zhang et al. 2021, Core-tuning, arXiv 2102.06605, eq. 4.
    ///
    /// @param labels a class a row
    /// @throws PanagradException if no class has two rows
    public static Tensor supCon(Tensor features, int[] labels, SupConOptions options) {
        int n = labels.length;
        if (features.rank() != 2 || features.dim(0) != n) {
            throw new ShapeException(
                    "supCon",
                    "features and labels do not fit",
                    features.spec() + " and " + n + " labels",
                    "[N, D] and a label a row",
                    "");
        }
        boolean[][] positives = new boolean[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                positives[i][j] = j != i && labels[j] == labels[i];
            }
        }
        return supCon(features, positives, options);
    }

    /// Computes the mean supervised contrastive loss of a batch, over the rows that have a positive,
    /// where pairs are named one by one: mixed rows, several views of a row.
    ///
    /// Shapes: features (N, D) → (). One positive a row is InfoNCE within the batch.
    ///
    /// @param positives for each row, which others are to be near it; the diagonal does not count
    /// @throws PanagradException if no row has a positive
    public static Tensor supCon(Tensor features, boolean[][] positives, SupConOptions options) {
        int n = positives.length;
        if (features.rank() != 2
                || features.dim(0) != n
                || Arrays.stream(positives).anyMatch(row -> row.length != n)) {
            throw new ShapeException(
                    "supCon",
                    "features and positives do not fit",
                    features.spec() + " and " + n + " rows of positives",
                    "[N, D] and N rows of N marks",
                    "");
        }
        double[] weights = new double[n * n];
        int anchors = 0;
        for (int i = 0; i < n; i++) {
            int count = 0;
            for (int j = 0; j < n; j++) {
                count += j != i && positives[i][j] ? 1 : 0;
            }
            anchors += count > 0 ? 1 : 0;
            for (int j = 0; j < n; j++) {
                if (j != i && positives[i][j]) {
                    weights[i * n + j] = 1.0 / (options.perPositive() ? count : n);
                }
            }
        }
        if (anchors == 0) {
            throw new PanagradException(
                    "supCon",
                    "no row has a positive in the batch",
                    n + " rows",
                    "at least one pair, two rows of a class",
                    "draw batches with several rows of each class");
        }
        Tensor logShares = logShares(features, options.temperature());
        Tensor pairs = Constants.like(features, weights).reshape(n, n).mul(logShares);
        if (options.focal()) {
            Tensor miss = logShares.exp().neg().add(1);
            pairs = pairs.mul(options.detachWeight() ? miss.detach() : miss);
        }
        return pairs.sum().mul(-1.0 / anchors);
    }

    /// log(e^(zᵢ·zⱼ/τ)/Σ_{k≠i} e^(zᵢ·z_k/τ)), a row an anchor; what stands on the diagonal is not to be
    /// used.
    private static Tensor logShares(Tensor features, double temperature) {
        int n = features.dim(0);
        Tensor z = normalised(features);
        Tensor similarities = z.matmul(z.transpose()).div(temperature);
        double[] itself = new double[n * n];
        for (int i = 0; i < n; i++) {
            itself[i * n + i] = HIDDEN;
        }
        Tensor logShares =
                Ops.logSoftmax(
                        similarities.add(Constants.like(features, itself).reshape(n, n)), -1);
        // The diagonal's is finite, but its size would swallow others in sums.
        return logShares.mul(Constants.like(features, offDiagonal(n)).reshape(n, n));
    }

    private static double[] offDiagonal(int n) {
        double[] mask = new double[n * n];
        for (int i = 0; i < n * n; i++) {
            mask[i] = i / n == i % n ? 0 : 1;
        }
        return mask;
    }

    /// Computes the mean InfoNCE loss of pairs: each query has to find its own key among the keys of
    /// all others.
    ///
    /// Shapes: queries and keys (N, D) → (). Source: van den Oord et al. 2018, arXiv 1807.03748, eq. 4.
    ///
    /// @param temperature what cosines are divided by, above 0; 0.05 to 0.1 are common
    /// @param symmetric whether keys have to find their queries, too
    public static Tensor infoNce(
            Tensor queries, Tensor keys, double temperature, boolean symmetric) {
        if (queries.rank() != 2 || !queries.shape().equals(keys.shape())) {
            throw new ShapeException(
                    "infoNce",
                    "queries and keys do not fit",
                    queries.spec() + " and " + keys.spec(),
                    "[N, D] each",
                    "");
        }
        if (!(temperature > 0)) {
            throw new PanagradException(
                    "infoNce", "temperature is out of range", "" + temperature, "above 0", "");
        }
        Tensor similarities =
                normalised(queries).matmul(normalised(keys).transpose()).div(temperature);
        Tensor loss = ownShares(similarities);
        return symmetric ? loss.add(ownShares(similarities.transpose())).mul(0.5) : loss;
    }

    private static Tensor ownShares(Tensor similarities) {
        int n = similarities.dim(0);
        int[] own = new int[n];
        for (int i = 0; i < n; i++) {
            own[i] = i;
        }
        return Losses.crossEntropy(similarities, Ops.indices(own, n));
    }

    /// Computes the triplet loss max(0, d(a, p) − d(a, n) + margin) of Euclidean distances.
    ///
    /// Shapes: (…, D) each → (…). Source: Schroff, Kalenichenko and Philbin 2015, FaceNet, arXiv
    /// 1503.03832, eq. 2, there with squared distances.
    ///
    /// @param margin above 0
    public static Tensor triplet(Tensor anchor, Tensor positive, Tensor negative, double margin) {
        if (!anchor.shape().equals(positive.shape()) || !anchor.shape().equals(negative.shape())) {
            throw new ShapeException(
                    "triplet",
                    "features do not fit",
                    anchor.spec() + ", " + positive.spec() + ", " + negative.spec(),
                    "one shape",
                    "");
        }
        return distance(anchor, positive).sub(distance(anchor, negative)).add(margin).relu();
    }

    /// Computes each row's triplet loss against the hardest rows of its batch, the farthest of its
    /// class and the nearest of another, averaged over the rows that have both.
    ///
    /// Shapes: features (N, D) → (). Source: Hermans, Beyer and Leibe 2017, arXiv 1703.07737, eq. 5.
    ///
    /// @param labels a class a row
    /// @param margin above 0
    /// @throws PanagradException if no row has both
    public static Tensor batchHardTriplet(Tensor features, int[] labels, double margin) {
        int n = labels.length;
        if (features.rank() != 2 || features.dim(0) != n) {
            throw new ShapeException(
                    "batchHardTriplet",
                    "features and labels do not fit",
                    features.spec() + " and " + n + " labels",
                    "[N, D] and a label a row",
                    "");
        }
        double[] x = features.detach().toDoubles();
        int width = features.dim(1);
        int[] anchors = new int[n];
        int[] positives = new int[n];
        int[] negatives = new int[n];
        int count = 0;
        for (int i = 0; i < n; i++) {
            int farthest = -1;
            int nearest = -1;
            double far = -1;
            double near = Double.POSITIVE_INFINITY;
            for (int j = 0; j < n; j++) {
                double d = squaredDistance(x, i, j, width);
                if (labels[j] != labels[i] && d < near) {
                    near = d;
                    nearest = j;
                } else if (labels[j] == labels[i] && j != i && d > far) {
                    far = d;
                    farthest = j;
                }
            }
            if (farthest >= 0 && nearest >= 0) {
                anchors[count] = i;
                positives[count] = farthest;
                negatives[count++] = nearest;
            }
        }
        if (count == 0) {
            throw new PanagradException(
                    "batchHardTriplet",
                    "no row has another of its class and one of another class",
                    n + " rows",
                    "at least two classes, one of them with two rows",
                    "draw batches with several rows of each class");
        }
        return triplet(
                        rows(features, anchors, count),
                        rows(features, positives, count),
                        rows(features, negatives, count),
                        margin)
                .mean();
    }

    private static double squaredDistance(double[] x, int i, int j, int width) {
        double sum = 0;
        for (int c = 0; c < width; c++) {
            double difference = x[i * width + c] - x[j * width + c];
            sum += difference * difference;
        }
        return sum;
    }

    private static Tensor rows(Tensor features, int[] which, int count) {
        Tensor index = Ops.indices(Arrays.copyOf(which, count), count);
        return features.indexSelect(0, index.to(features.device()));
    }

    /// The root has no slope at 0, so the sum of squares is held above it.
    private static Tensor distance(Tensor a, Tensor b) {
        return a.sub(b).square().sum(-1, false).add(SMALLEST_NORM).sqrt();
    }

    private static Tensor normalised(Tensor features) {
        return features.mul(features.square().sum(-1, true).add(SMALLEST_NORM).rsqrt());
    }
}
