package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Attachment;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.Taps;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.linalg.Decompositions;
import java.nio.file.Path;
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
    private static final System.Logger LOG = System.getLogger("io.github.panagrad");

    /// What stands behind a layer's path in files.
    private static final String UPPER = ".inputs";

    private static final String TOKENS = ".tokens";

    /// λ, how much of the mean diagonal is added to it (Yang et al., arXiv 2406.05223).
    private static final double DAMPING = 0.01;

    /// How far C·C⁻¹ may be from the identity, as a Frobenius norm.
    private static final double INVERSE_ERROR = 0.05;

    private final Map<String, CovarianceSum> sums = new LinkedHashMap<>();

    private Covariances() {}

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
                                        .computeIfAbsent(
                                                layer.path(), p -> new CovarianceSum(x.dim(-1)))
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

    /// Writes what was collected, as a safetensors file.
    ///
    /// @throws PanagradException if it cannot be written
    public void save(Path file) {
        var tensors = new LinkedHashMap<String, Tensor>();
        sums.forEach((path, sum) -> {
            tensors.put(path + UPPER, Ops.tensor64(sum.upper(), sum.upper().length));
            tensors.put(path + TOKENS, Ops.tensor64(new double[] {sum.tokens()}, 1));
        });
        TensorFiles.write(file, tensors, Map.of());
    }

    /// Reads what [#save] wrote.
    ///
    /// @throws PanagradException if the file is missing, broken or another one
    public static Covariances load(Path file) {
        var all = new Covariances();
        Map<String, Tensor> tensors = TensorFiles.read(file);
        tensors.forEach((name, upper) -> {
            if (name.endsWith(UPPER)) {
                String path = name.substring(0, name.length() - UPPER.length());
                Tensor tokens = tensors.get(path + TOKENS);
                int n = (int) Math.round((Math.sqrt(8.0 * upper.size() + 1) - 1) / 2);
                if (tokens == null || (long) n * (n + 1) / 2 != upper.size()) {
                    throw notCovariances(file, name);
                }
                all.sums.put(
                        path,
                        new CovarianceSum(n, upper.toDoubles(), (long) tokens.toDoubles()[0]));
            } else if (!name.endsWith(TOKENS)) {
                throw notCovariances(file, name);
            }
        });
        return all;
    }

    private static PanagradException notCovariances(Path file, String name) {
        return new PanagradException(
                "covariances " + file,
                "not what was saved by Covariances",
                "tensor " + name,
                "for each layer <path>" + UPPER + " and <path>" + TOKENS,
                "");
    }

    /// Returns the layers that were seen.
    public List<String> paths() {
        return List.copyOf(sums.keySet());
    }

    /// Returns how many tokens a layer saw.
    public long tokens(String path) {
        return sum(path).tokens();
    }

    private CovarianceSum sum(String path) {
        CovarianceSum sum = sums.get(path);
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

    /// Returns a layer's covariance, damped until it can be inverted; warns where the layer saw too
    /// few tokens for one of full rank.
    public Damped of(String path) {
        CovarianceSum sum = sum(path);
        if (sum.tokens() < sum.n()) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "layer {0} saw {1} tokens and has {2} inputs: directions that no token took are"
                            + " known by damping alone",
                    path,
                    sum.tokens(),
                    sum.n());
        }
        return damped(sum.normalized(), sum.n());
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
        CovarianceSum sum = sum(path);
        var eigen = Decompositions.symmetricEigen(sum.normalized(), sum.n());
        int n = sum.n();
        if (rank > n) {
            throw new PanagradException(
                    "covariances",
                    "more directions than layer " + path + " has inputs",
                    "" + rank,
                    "at most " + n,
                    "");
        }
        double[] rows = new double[rank * n];
        for (int k = 0; k < rank; k++) {
            for (int i = 0; i < n; i++) {
                rows[k * n + i] = eigen.vectors()[i * n + k];
            }
        }
        return Ops.tensor64(rows, rank, n);
    }

    /// Returns which share of a layer's inputs each direction explains, descending. Shapes: (n).
    double[] explained(String path) {
        CovarianceSum sum = sum(path);
        double[] values = Decompositions.symmetricEigen(sum.normalized(), sum.n()).values();
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
