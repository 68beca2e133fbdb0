package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;

/// Cayley's transform: an orthogonal matrix of a skew-symmetric one.
///
/// Shapes: (N, b, b) → (N, b, b).
final class Cayley {
    private Cayley() {}

    /// Computes (I − Q)·(I + Q)⁻¹.
    static Tensor exact(Tensor q) {
        Tensor one = identity(q);
        return one.sub(q).matmul(inverse(one.add(q)));
    }

    /// Computes the first terms of (I + Q)·(I − Q)⁻¹ = I + 2Q + 2Q² + …, the last one once, as PEFT
    /// does.
    static Tensor series(Tensor q, int terms) {
        Tensor sum = identity(q);
        Tensor power = q;
        for (int n = 1; n < terms; n++) {
            boolean last = n == terms - 1 && n > 2;
            sum = sum.add(last ? power : power.mul(2));
            power = power.matmul(q);
        }
        return sum;
    }

    private static Tensor identity(Tensor like) {
        int b = like.dim(1);
        double[] values = new double[b * b];
        for (int i = 0; i < b; i++) {
            values[i * b + i] = 1;
        }
        return Ops.tensor64(values, 1, b, b)
                .to(like.dtype())
                .to(like.device())
                .expand(like.shape());
    }

    /// Inverts M. The inverse X is computed as a value; one step of Newton's method, X·(2I − M·X), leaves
    /// it as it is and has the inverse's derivative, −X·dM·X.
    static Tensor inverse(Tensor m) {
        Tensor x =
                Ops.tensor64(inverses(m.toDoubles(), m.dim(1)), m.shape().toArray())
                        .to(m.dtype() == DType.F64 ? DType.F64 : DType.F32)
                        .to(m.device());
        return x.matmul(identity(m).mul(2).sub(m.matmul(x)));
    }

    /// Inverts matrices one after the other by elimination; I + Q is never near singular.
    private static double[] inverses(double[] all, int b) {
        double[] results = new double[all.length];
        for (int from = 0; from < all.length; from += b * b) {
            double[] a = new double[b * b];
            System.arraycopy(all, from, a, 0, b * b);
            for (int i = 0; i < b; i++) {
                results[from + i * b + i] = 1;
            }
            for (int p = 0; p < b; p++) {
                int row = pivot(a, b, p);
                swap(a, 0, b, p, row);
                swap(results, from, b, p, row);
                double by = 1 / a[p * b + p];
                for (int j = 0; j < b; j++) {
                    a[p * b + j] *= by;
                    results[from + p * b + j] *= by;
                }
                for (int i = 0; i < b; i++) {
                    double factor = i == p ? 0 : a[i * b + p];
                    for (int j = 0; factor != 0 && j < b; j++) {
                        a[i * b + j] -= factor * a[p * b + j];
                        results[from + i * b + j] -= factor * results[from + p * b + j];
                    }
                }
            }
        }
        return results;
    }

    private static int pivot(double[] a, int b, int p) {
        int best = p;
        for (int i = p + 1; i < b; i++) {
            best = Math.abs(a[i * b + p]) > Math.abs(a[best * b + p]) ? i : best;
        }
        return best;
    }

    private static void swap(double[] a, int from, int b, int i, int j) {
        for (int k = 0; i != j && k < b; k++) {
            double keep = a[from + i * b + k];
            a[from + i * b + k] = a[from + j * b + k];
            a[from + j * b + k] = keep;
        }
    }
}
