package io.github.panagrad.adapters.spectra;

import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.LowRankDelta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.linalg.Decompositions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// The singular vectors of a model's matrices, as they were when this was made, to compare tuned ones
/// with.
///
/// A left singular vector of a tuned matrix is an intruder if it resembles none of the base's:
/// max_i |⟨u_j, u⁰_i⟩| < ε for one of the k largest singular values (Shuttleworth et al., arXiv
/// 2410.21228, section 4). Low-rank adapters make them, full fine-tuning hardly does.
///
/// ```java
/// var spectra = Spectra.of(model.selection().in(ATTN_Q, ATTN_V, MLP_UP));
/// // … training an adapter …
/// SpectraReport report = spectra.compare(adapter.delta(), 10, 0.5);
/// ```
///
/// To watch the number grow while a model trains, there is [SpectraProbe]. All arithmetic is F64 on one
/// thread; the decomposition of each base matrix is kept.
public final class Spectra {
    /// Vectors shorter than this, and any direction resembles some other.
    private static final int SHORTEST = 16;

    private final Map<String, Base> matrices = new LinkedHashMap<>();
    private final Map<String, String> skipped = new LinkedHashMap<>();

    /// A matrix as it was, and its singular vectors.
    private static final class Base {
        private final int block;
        private final int rows;
        private final int cols;
        private final double[] weight;
        private final Decompositions.Svd svd;

        Base(int block, Parameter p) {
            this.block = block;
            rows = p.dim(0);
            cols = p.dim(1);
            weight = p.toDoubles();
            svd = Decompositions.svd(weight, rows, cols);
        }
    }

    private Spectra() {}

    /// Decomposes the matrices among some parameters; vectors are left out, and so are matrices of
    /// fewer than 16 rows, which [SpectraReport#skipped] names.
    ///
    /// The tool of the paper looks at the matrices of attention and feed-forward parts alone.
    ///
    /// @throws PanagradException if there is no matrix, or one is not finite
    public static Spectra of(ParamSelection base) {
        var spectra = new Spectra();
        for (ParamSelection.Entry entry : base) {
            Parameter p = entry.parameter();
            if (p.rank() == 2 && p.dim(0) < SHORTEST) {
                spectra.skipped.put(entry.path(), p.dim(0) + " rows, of fewer than " + SHORTEST);
            } else if (p.rank() == 2) {
                spectra.matrices.put(entry.path(), new Base(entry.block(), p));
            }
        }
        if (spectra.matrices.isEmpty()) {
            throw new PanagradException(
                    "spectra", "no matrix to look at", base.toString(), "at least one", "");
        }
        return spectra;
    }

    /// Compares the left vectors of the base with those of a change of it, which is not merged for that.
    ///
    /// Changes of other parameters are not looked at.
    ///
    /// @param k how many of the largest singular values are looked at: 10 in the paper's tool
    /// @param epsilon below which likeness a vector is an intruder: 0.5 in the paper's tool
    /// @throws PanagradException if a number is out of range, or a matrix has another shape
    public SpectraReport compare(Delta delta, int k, double epsilon) {
        return compare(delta, k, epsilon, Side.LEFT);
    }

    /// Compares the vectors of one side; matrices in which those of the right side have fewer than 16
    /// elements are left out of a comparison of these.
    ///
    /// @throws PanagradException if a number is out of range, or a matrix has another shape
    public SpectraReport compare(Delta delta, int k, double epsilon, Side side) {
        check(delta, k, epsilon);
        var compared = new ArrayList<MatrixSpectrum>();
        var passed = new LinkedHashMap<>(skipped);
        matrices.forEach((path, base) -> {
            if (side.extent(base.rows, base.cols) < SHORTEST) {
                passed.put(path, base.cols + " columns, of fewer than " + SHORTEST);
                return;
            }
            TensorDelta change = delta.changes().get(path);
            Decompositions.Svd tuned = base.svd;
            double[] stretches = {};
            if (change != null) {
                tuned = Decompositions.svd(tuned(base, change), base.rows, base.cols);
                stretches = singularValues(change);
            }
            compared.add(compare(path, base, tuned, stretches, k, side));
        });
        var unknown = new TreeSet<>(delta.changes().keySet());
        unknown.removeAll(matrices.keySet());
        unknown.removeAll(skipped.keySet());
        return new SpectraReport(k, epsilon, side, compared, passed, List.copyOf(unknown));
    }

    /// Checks what can be checked without a decomposition.
    void check(Delta delta, int k, double epsilon) {
        if (k < 1 || !(epsilon > 0 && epsilon <= 1)) {
            throw new PanagradException(
                    "spectra",
                    "out of range",
                    "k " + k + ", epsilon " + epsilon,
                    "k >= 1, epsilon above 0, at most 1",
                    "");
        }
        matrices.forEach((path, base) -> {
            TensorDelta change = delta.changes().get(path);
            Shape shape = Shape.of(base.rows, base.cols);
            if (change != null && !change.shape().equals(shape)) {
                throw new PanagradException(
                        "spectra",
                        "shapes differ at " + path,
                        change.shape().toString(),
                        shape.toString(),
                        "is the delta of another model?");
            }
        });
    }

    private static double[] tuned(Base base, TensorDelta change) {
        double[] weight = change.dense().toDoubles();
        for (int i = 0; i < weight.length; i++) {
            weight[i] += base.weight[i];
        }
        return weight;
    }

    private static MatrixSpectrum compare(
            String path,
            Base base,
            Decompositions.Svd tuned,
            double[] stretches,
            int k,
            Side side) {
        int rank = Math.min(base.rows, base.cols);
        int looked = Math.min(k, rank);
        double[][] left = vectors(tuned, base, Side.LEFT, looked);
        double[][] right = vectors(tuned, base, Side.RIGHT, looked);
        double[][] before = vectors(base.svd, base, side, rank);
        double[] likeness = new double[looked];
        double[] within = new double[looked];
        double[][] overlap = new double[looked][looked];
        for (int j = 0; j < looked; j++) {
            double[] vector = side == Side.LEFT ? left[j] : right[j];
            double squares = 0;
            for (int i = 0; i < rank; i++) {
                double cosine = Math.abs(dot(vector, before[i]));
                likeness[j] = Math.max(likeness[j], cosine);
                squares += Math.abs(i - j) <= k ? cosine * cosine : 0;
                if (i < looked) {
                    overlap[j][i] = cosine;
                }
            }
            within[j] = Math.sqrt(squares);
        }
        return new MatrixSpectrum(
                path,
                base.block,
                side,
                base.rows,
                base.cols,
                Arrays.copyOf(tuned.s(), looked),
                likeness,
                within,
                overlap,
                left,
                right,
                ChangeSpread.of(stretches, base.svd.s()));
    }

    /// Returns the vectors of the largest singular values, one an array.
    private static double[][] vectors(Decompositions.Svd svd, Base base, Side side, int count) {
        int rank = Math.min(base.rows, base.cols);
        double[][] vectors = new double[count][];
        for (int j = 0; j < count; j++) {
            if (side == Side.RIGHT) {
                vectors[j] = Arrays.copyOfRange(svd.vt(), j * base.cols, (j + 1) * base.cols);
                continue;
            }
            vectors[j] = new double[base.rows];
            for (int row = 0; row < base.rows; row++) {
                vectors[j][row] = svd.u()[row * rank + j];
            }
        }
        return vectors;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    /// Computes the singular values of a change, descending; those of a low-rank one from its factors.
    public static double[] singularValues(TensorDelta change) {
        if (change instanceof LowRankDelta low && low.rank() < Math.min(rows(low), cols(low))) {
            int r = low.rank();
            double[] a = Decompositions.qr(low.left().toDoubles(), rows(low), r).r();
            double[] transposed = low.right().transpose().toDoubles();
            double[] b = Decompositions.qr(transposed, cols(low), r).r();
            double[] core = new double[r * r];
            for (int i = 0; i < r; i++) {
                for (int j = 0; j < r; j++) {
                    for (int p = 0; p < r; p++) {
                        core[i * r + j] += a[i * r + p] * b[j * r + p];
                    }
                }
            }
            return Decompositions.singularValues(core, r, r);
        }
        int rows = change.shape().dim(0);
        int cols = Math.toIntExact(change.shape().size() / rows);
        return Decompositions.singularValues(change.dense().toDoubles(), rows, cols);
    }

    private static int rows(TensorDelta d) {
        return d.shape().dim(0);
    }

    private static int cols(TensorDelta d) {
        return d.shape().dim(1);
    }
}
