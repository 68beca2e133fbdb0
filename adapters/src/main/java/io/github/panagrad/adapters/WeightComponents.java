package io.github.panagrad.adapters;

import io.github.panagrad.nn.linalg.Decompositions;

/// Chooses r components of a weight, in F64.
///
/// Shapes: weight (out, in), row-major.
final class WeightComponents {
    private final double[] weight;
    private final int out;
    private final int in;
    private final int rank;

    WeightComponents(double[] weight, int out, int in, int rank) {
        this.weight = weight;
        this.out = out;
        this.in = in;
        this.rank = rank;
    }

    /// A product of two factors.
    ///
    /// Shapes: left (out, r), right (r, in), row-major.
    record Product(double[] left, double[] right) {}

    /// Takes the largest singular components, U·√S and √S·Vᵀ.
    Product principal() {
        var svd = Decompositions.svd(weight, out, in);
        return shared(svd, svd.vt(), 0);
    }

    /// Takes the first columns of Q and rows of R.
    Product orthonormal() {
        var qr = Decompositions.qr(weight, out, in);
        int k = Math.min(out, in);
        double[] left = new double[out * rank];
        double[] right = new double[rank * in];
        for (int j = 0; j < rank; j++) {
            for (int i = 0; i < out; i++) {
                left[i * rank + j] = qr.q()[i * k + j];
            }
            System.arraycopy(qr.r(), j * in, right, j * in, in);
        }
        return new Product(left, right);
    }

    /// Takes components of W·C = U·S·Vᵀ, with Vᵀ·C⁻¹ on the right, so that all of them together are W.
    ///
    /// @param inputs C and its inverse
    /// @param smallest the smallest ones instead of the largest
    Product oriented(Covariances.Damped inputs, boolean smallest) {
        double[] turned = product(weight, out, in, inputs.matrix());
        var svd = Decompositions.svd(turned, out, in);
        int k = Math.min(out, in);
        double[] right = product(svd.vt(), k, in, inputs.inverse());
        return shared(svd, right, smallest ? k - rank : 0);
    }

    private Product shared(Decompositions.Svd svd, double[] vt, int from) {
        int k = Math.min(out, in);
        double[] left = new double[out * rank];
        double[] right = new double[rank * in];
        for (int j = 0; j < rank; j++) {
            double root = Math.sqrt(svd.s()[from + j]);
            for (int i = 0; i < out; i++) {
                left[i * rank + j] = svd.u()[i * k + from + j] * root;
            }
            for (int i = 0; i < in; i++) {
                right[j * in + i] = vt[(from + j) * in + i] * root;
            }
        }
        return new Product(left, right);
    }

    /// Multiplies a (rows, n) with a square matrix of extent n.
    private static double[] product(double[] a, int rows, int n, double[] square) {
        double[] c = new double[rows * n];
        for (int i = 0; i < rows; i++) {
            for (int p = 0; p < n; p++) {
                double factor = a[i * n + p];
                for (int j = 0; j < n; j++) {
                    c[i * n + j] += factor * square[p * n + j];
                }
            }
        }
        return c;
    }
}
