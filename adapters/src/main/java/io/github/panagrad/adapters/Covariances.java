package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Attachment;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.Taps;
import io.github.panagrad.nn.linalg.Decompositions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How the inputs of some layers lie: the sums of x·xᵀ over all tokens seen, not centred, in F64.
///
/// ```java
/// var inputs = Covariances.collect(model, "**_proj", () -> batches.forEach(model::hidden));
/// var adapter = Lora.rank(16).init(LoraInit.cordaInstructionPreviewed(inputs)).attach(model, "**_proj");
/// ```
public final class Covariances {
    /// λ, how much of the mean diagonal is added to it (Yang et al., arXiv 2406.05223).
    private static final double DAMPING = 0.01;

    /// How far C·C⁻¹ may be from the identity, as a Frobenius norm.
    private static final double INVERSE_ERROR = 0.05;

    private final Map<String, Sum> sums = new LinkedHashMap<>();

    private Covariances() {}

    /// What was added up at one layer.
    private static final class Sum {
        private final int n;
        private final double[] products;
        private long tokens;

        Sum(int n) {
            this.n = n;
            this.products = new double[n * n];
        }

        void add(Tensor x) {
            int rows = (int) (x.size() / n);
            double[] more =
                    Ops.noGrad(() ->
                            Ops.scope(() -> {
                                Tensor flat = x.to(DType.F64).reshape(rows, n);
                                return flat.transpose(0, 1).matmul(flat).toDoubles();
                            }));
            for (int i = 0; i < more.length; i++) {
                products[i] += more[i];
            }
            tokens += rows;
        }

        /// Returns the sum divided by the mean of its diagonal, which no scale of the inputs changes.
        double[] normalized() {
            double mean = 0;
            for (int i = 0; i < n; i++) {
                mean += products[i * n + i] / n;
            }
            double[] c = products.clone();
            for (int i = 0; i < c.length; i++) {
                c[i] /= mean > 0 ? mean : 1;
            }
            return c;
        }
    }

    /// A covariance that can be inverted.
    ///
    /// Shapes: matrix and inverse (n, n).
    ///
    /// @param matrix C with something added to its diagonal
    /// @param inverse its inverse
    public record Damped(double[] matrix, double[] inverse) {}

    /// Runs something and looks at the inputs of the layers meanwhile.
    ///
    /// @param pattern which layers
    /// @param passes forward passes of the model
    public static Covariances collect(Module model, String pattern, Runnable passes) {
        var all = new Covariances();
        Attachment tap =
                Taps.onInput(
                        model,
                        pattern,
                        (layer, x, context) ->
                                all.sums
                                        .computeIfAbsent(layer.path(), p -> new Sum(x.dim(-1)))
                                        .add(x));
        try {
            Ops.noGrad(() -> {
                passes.run();
                return null;
            });
        } finally {
            tap.close();
        }
        return all;
    }

    /// Returns the layers that were seen.
    public List<String> paths() {
        return List.copyOf(sums.keySet());
    }

    /// Returns how many tokens a layer saw.
    public long tokens(String path) {
        return sum(path).tokens;
    }

    private Sum sum(String path) {
        Sum sum = sums.get(path);
        if (sum == null) {
            throw new PanagradException(
                    "covariances",
                    "nothing was collected for layer " + path,
                    sums.size() + " layers",
                    "a collection over all layers that get a detour",
                    "collect with the same pattern as is attached to");
        }
        return sum;
    }

    /// Returns a layer's covariance, damped until it can be inverted.
    public Damped of(String path) {
        Sum sum = sum(path);
        return damped(sum.normalized(), sum.n);
    }

    /// Dampens a covariance of unit mean diagonal until it can be inverted.
    static Damped damped(double[] c, int n) {
        for (double damping = DAMPING; ; damping *= 2) {
            double[] matrix = c.clone();
            for (int i = 0; i < n; i++) {
                matrix[i * n + i] += damping;
            }
            double[] inverse = inverse(matrix, n);
            if (distanceFromIdentity(matrix, inverse, n) < INVERSE_ERROR) {
                return new Damped(matrix, inverse);
            }
        }
    }

    private static double[] inverse(double[] matrix, int n) {
        var eigen = Decompositions.symmetricEigen(matrix, n);
        double[] inverse = new double[n * n];
        for (int k = 0; k < n; k++) {
            double by = 1 / eigen.values()[k];
            for (int i = 0; i < n; i++) {
                double left = eigen.vectors()[i * n + k] * by;
                for (int j = 0; j < n; j++) {
                    inverse[i * n + j] += left * eigen.vectors()[j * n + k];
                }
            }
        }
        return inverse;
    }

    private static double distanceFromIdentity(double[] a, double[] b, int n) {
        double squares = 0;
        for (int i = 0; i < n; i++) {
            double[] row = new double[n];
            for (int p = 0; p < n; p++) {
                double factor = a[i * n + p];
                for (int j = 0; j < n; j++) {
                    row[j] += factor * b[p * n + j];
                }
            }
            row[i] -= 1;
            for (double entry : row) {
                squares += entry * entry;
            }
        }
        return Math.sqrt(squares);
    }

    /// Returns the directions in which a layer's inputs are largest. Shapes: (r, n).
    Tensor directions(String path, int rank) {
        Sum sum = sum(path);
        var eigen = Decompositions.symmetricEigen(sum.normalized(), sum.n);
        double[] rows = new double[rank * sum.n];
        for (int k = 0; k < rank; k++) {
            for (int i = 0; i < sum.n; i++) {
                rows[k * sum.n + i] = eigen.vectors()[i * sum.n + k];
            }
        }
        return Ops.tensor64(rows, rank, sum.n);
    }

    /// Returns which share of a layer's inputs each direction explains, descending. Shapes: (n).
    double[] explained(String path) {
        Sum sum = sum(path);
        double[] values = Decompositions.symmetricEigen(sum.normalized(), sum.n).values();
        double total = 0;
        for (double value : values) {
            total += value;
        }
        for (int i = 0; i < values.length; i++) {
            values[i] /= total;
        }
        return values;
    }
}
