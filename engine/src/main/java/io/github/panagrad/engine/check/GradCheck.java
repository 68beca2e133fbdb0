package io.github.panagrad.engine.check;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// Compares gradients with central differences, in F64 on the reference backend.
public final class GradCheck {
    private static final double STEP = 1e-5;

    /// How many entries of an operand are probed; a larger one is probed evenly.
    private static final int PROBES = 60;

    private GradCheck() {}

    /// Returns the largest error of the gradients of `f`, relative to `1 + |gradient|`.
    ///
    /// All floating results of `f` are weighted with fixed random numbers and summed, so that every
    /// entry of its derivative counts.
    ///
    /// @param f a function of tensors, deterministic
    /// @param inputs where to check; floating ones are converted to F64
    /// @param differentiable for each input, whether its gradient is checked
    public static double maxError(
            Function<Tensor[], Tensor[]> f, Tensor[] inputs, boolean[] differentiable) {
        Tensor[] x = new Tensor[inputs.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = doublePrecision(inputs[i]);
        }
        List<double[]> weights = new ArrayList<>();
        Tensor[] leaves = x.clone();
        for (int i = 0; i < x.length; i++) {
            if (differentiable[i]) {
                leaves[i] = x[i].requireGrad();
            }
        }
        Tensor loss = weighted(f.apply(leaves), weights);
        var grads = loss.backward();
        double worst = 0;
        for (int i = 0; i < x.length; i++) {
            if (!differentiable[i]) {
                continue;
            }
            double[] analytic =
                    grads.find(leaves[i])
                            .map(Tensor::toDoubles)
                            .orElse(new double[(int) x[i].size()]);
            double[] values = x[i].storage().doubles();
            int stride = Math.max(1, analytic.length / PROBES);
            for (int j = 0; j < analytic.length; j += stride) {
                double before = values[j];
                values[j] = before + STEP;
                double up = value(f, x, weights);
                values[j] = before - STEP;
                double down = value(f, x, weights);
                values[j] = before;
                double numeric = (up - down) / (2 * STEP);
                double error = Math.abs(analytic[j] - numeric) / (1 + Math.abs(numeric));
                worst = Double.isNaN(error) ? Double.POSITIVE_INFINITY : Math.max(worst, error);
            }
        }
        return worst;
    }

    /// Returns the largest error of the gradient of a function of one tensor.
    public static double maxError(Function<Tensor, Tensor> f, Tensor input) {
        return maxError(
                in -> new Tensor[] {f.apply(in[0])}, new Tensor[] {input}, new boolean[] {true});
    }

    private static double value(
            Function<Tensor[], Tensor[]> f, Tensor[] x, List<double[]> weights) {
        return Ops.noGrad(() -> Ops.scope(() -> weighted(f.apply(x), weights).item()));
    }

    /// Copies to F64 on the reference backend, row by row; other dtypes stay.
    static Tensor doublePrecision(Tensor t) {
        if (!t.dtype().isFloating()) {
            return t.detach().to(Device.REFERENCE);
        }
        return f64(t.toDoubles(), t.shape());
    }

    private static Tensor f64(double[] values, Shape shape) {
        return new Tensor(HeapStorage.of(values), Layout.contiguous(shape), Device.REFERENCE, null);
    }

    private static Tensor weighted(Tensor[] results, List<double[]> weights) {
        Tensor sum = f64(new double[1], Shape.SCALAR);
        int next = 0;
        for (Tensor y : results) {
            if (y.dtype() == DType.F64) {
                if (weights.size() == next) {
                    weights.add(drawn(y.shape().intSize(), next));
                }
                sum = sum.add(y.mul(f64(weights.get(next++).clone(), y.shape())).sum());
            }
        }
        return sum;
    }

    private static double[] drawn(int n, int which) {
        Rng.Draw draw = Rng.of(1000 + which).draw();
        double[] values = new double[n];
        for (int i = 0; i < n; i++) {
            values[i] = 0.5 + draw.uniform(i);
        }
        return values;
    }
}
