package io.github.panagrad.engine;

import io.github.panagrad.engine.op.CumSum;
import io.github.panagrad.engine.op.Norm;
import io.github.panagrad.engine.op.Sort;
import io.github.panagrad.engine.op.TopK;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import java.util.stream.IntStream;

/// The methods of [Tensor] that measure and order its elements.
public abstract sealed class TensorStatistics permits TensorShapes {
    TensorStatistics() {}

    abstract Tensor self();

    /// Computes the variance over one dimension, which stays with extent 1 if `keep`.
    ///
    /// @param unbiased whether to divide by n−1 (an estimate for the population), else by n
    public Tensor var(int dim, boolean keep, boolean unbiased) {
        Tensor x = self();
        int divisor = x.dim(dim) - (unbiased ? 1 : 0);
        return x.sub(x.mean(dim, true)).square().sum(dim, keep).mul(1.0 / divisor);
    }

    /// Computes the variance of all elements. Shapes: (*) → ().
    ///
    /// @param unbiased whether to divide by n−1 (an estimate for the population), else by n
    public Tensor var(boolean unbiased) {
        return self().reshape(-1).var(0, false, unbiased);
    }

    /// Computes the Euclidean norm over one dimension; the gradient of a zero norm is zero.
    public Tensor norm(int dim, boolean keep) {
        Tensor norm = Tape.one(new Norm(List.of(self().shape().axis(dim))), self());
        return keep ? norm : norm.reshape(self().shape().without(dim).toArray());
    }

    /// Computes the Euclidean norm of all elements. Shapes: (*) → ().
    public Tensor norm() {
        List<Integer> dims = IntStream.range(0, self().rank()).boxed().toList();
        return Tape.one(new Norm(dims), self()).reshape();
    }

    /// Sums up along one dimension, yᵢ = x₀ + … + xᵢ. Shapes: (*) → (*).
    public Tensor cumsum(int dim) {
        return Tape.one(new CumSum(self().shape().axis(dim), false), self());
    }

    /// Finds the k greatest elements of one dimension, the greatest first; of equal ones the first.
    public Ranked topK(int k, int dim) {
        return ranked(Tape.apply(new TopK(self().shape().axis(dim), k), self()));
    }

    /// Sorts along one dimension; equal elements keep their order, NaN counts as the greatest.
    public Ranked sort(int dim, boolean descending) {
        return ranked(Tape.apply(new Sort(self().shape().axis(dim), descending), self()));
    }

    private static Ranked ranked(Tensor[] out) {
        return new Ranked(out[0], out[1]);
    }
}
