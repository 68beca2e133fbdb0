package io.github.panagrad.adapters.spectra;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.ParamTable;
import io.github.panagrad.nn.linalg.Decompositions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Matrices for the tests.
final class Spectrum {
    private Spectrum() {}

    /// Parameters of any shapes, by name.
    static final class Weights extends Module {
        Weights(Map<String, Tensor> values) {
            values.forEach((name, t) -> parameter(name, t.copy()));
        }

        ParamSelection selection() {
            return ParamSelection.of(
                    this, ParamTable.blocksAt("layers").with(ParamCategory.MLP_UP, "**.weight"));
        }
    }

    static Weights weights(Object... namesAndTensors) {
        var values = new LinkedHashMap<String, Tensor>();
        for (int i = 0; i < namesAndTensors.length; i += 2) {
            values.put((String) namesAndTensors[i], (Tensor) namesAndTensors[i + 1]);
        }
        return new Weights(values);
    }

    /// Draws a matrix with orthonormal columns. Shapes: → (n, n).
    static double[] rotation(int n, long seed) {
        return Decompositions.qr(Ops.randn(Rng.of(seed), n, n).toDoubles(), n, n).q();
    }

    /// Multiplies. Shapes: a (n, k), b (k, m) → (n, m).
    static double[] product(double[] a, double[] b, int n, int k, int m) {
        double[] c = new double[n * m];
        for (int i = 0; i < n; i++) {
            for (int p = 0; p < k; p++) {
                for (int j = 0; j < m; j++) {
                    c[i * m + j] += a[i * k + p] * b[p * m + j];
                }
            }
        }
        return c;
    }

    /// Makes a diagonal matrix. Shapes: → (n, n).
    static double[] diagonal(double... values) {
        int n = values.length;
        double[] a = new double[n * n];
        for (int i = 0; i < n; i++) {
            a[i * n + i] = values[i];
        }
        return a;
    }

    static double[] transposed(double[] a, int rows, int cols) {
        double[] t = new double[a.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < cols; j++) {
                t[j * rows + i] = a[i * cols + j];
            }
        }
        return t;
    }

    static double[] scaled(double[] a, double by) {
        return Arrays.stream(a).map(v -> v * by).toArray();
    }

    static Tensor tensor(double[] a, int rows, int cols) {
        return Ops.tensor(DType.F32, a, rows, cols);
    }
}
