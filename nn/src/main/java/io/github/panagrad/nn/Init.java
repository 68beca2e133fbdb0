package io.github.panagrad.nn;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.nn.linalg.Decompositions;

/// How a parameter starts out.
///
/// For a weight of shape (out, in, …) the fan-in is in·…, the fan-out out·….
@FunctionalInterface
public interface Init {
    /// Makes the values of a parameter.
    Tensor draw(Shape shape, Rng rng);

    /// No values: for parameters that are bound to a file's tensors next. Any use before that
    /// throws.
    Init UNSET =
            (shape, rng) -> {
                var nothing = HeapStorage.of(new float[0]);
                nothing.release("its constructor, which left it without values");
                return new Tensor(nothing, Layout.contiguous(shape), Device.CPU, null);
            };

    /// All zeros.
    static Init zeros() {
        return constant(0);
    }

    /// All ones.
    static Init ones() {
        return constant(1);
    }

    /// One number everywhere.
    static Init constant(double value) {
        return (shape, rng) -> Ops.full(io.github.panagrad.engine.ground.DType.F32, shape, value);
    }

    /// Normal numbers.
    static Init normal(double mean, double std) {
        return (shape, rng) -> Ops.randn(rng, shape.toArray()).affine(std, mean);
    }

    /// Numbers uniform in [low, high).
    static Init uniform(double low, double high) {
        return (shape, rng) -> Ops.rand(rng, shape.toArray()).affine(high - low, low);
    }

    /// Kaiming's uniform numbers with bound √(6 / ((1 + a²)·fan-in)) (He et al., arXiv 1502.01852).
    ///
    /// @param a the negative slope of the leaky ReLU that follows; √5 gives ±1/√fan-in
    static Init kaimingUniform(double a) {
        return (shape, rng) -> {
            double bound = Math.sqrt(6 / ((1 + a * a) * fanIn(shape)));
            return uniform(-bound, bound).draw(shape, rng);
        };
    }

    /// Kaiming's normal numbers with deviation √(2 / fan-in) (He et al., arXiv 1502.01852).
    static Init kaimingNormal() {
        return (shape, rng) -> normal(0, Math.sqrt(2.0 / fanIn(shape))).draw(shape, rng);
    }

    /// Xavier's uniform numbers with bound √(6 / (fan-in + fan-out)) (Glorot, Bengio, AISTATS
    /// 2010).
    static Init xavierUniform() {
        return (shape, rng) -> {
            double bound = Math.sqrt(6.0 / (fanIn(shape) + fanOut(shape)));
            return uniform(-bound, bound).draw(shape, rng);
        };
    }

    /// Xavier's normal numbers with deviation √(2 / (fan-in + fan-out)) (Glorot, Bengio, AISTATS
    /// 2010).
    static Init xavierNormal() {
        return (shape, rng) ->
                normal(0, Math.sqrt(2.0 / (fanIn(shape) + fanOut(shape)))).draw(shape, rng);
    }

    /// A matrix with orthonormal rows or columns, whichever are fewer (Saxe et al.,
    /// arXiv 1312.6120).
    ///
    /// @param gain a factor on all of it
    static Init orthogonal(double gain) {
        return (shape, rng) -> {
            requireMatrix(shape);
            int rows = shape.dim(0);
            int cols = shape.product(1, shape.rank());
            int tall = Math.max(rows, cols);
            int thin = Math.min(rows, cols);
            double[] q = Decompositions.qr(Ops.randn(rng, tall, thin).toFloats(), tall, thin).q();
            float[] values = new float[rows * cols];
            for (int i = 0; i < values.length; i++) {
                int row = i / cols;
                int col = i % cols;
                int at = rows >= cols ? row * thin + col : col * thin + row;
                values[i] = (float) (gain * q[at]);
            }
            return Ops.tensor(values, shape.toArray());
        };
    }

    private static int fanIn(Shape shape) {
        requireMatrix(shape);
        return shape.product(1, shape.rank());
    }

    private static int fanOut(Shape shape) {
        requireMatrix(shape);
        return shape.dim(0) * shape.product(2, shape.rank());
    }

    private static void requireMatrix(Shape shape) {
        if (shape.rank() < 2) {
            throw new ShapeException(
                    "init", "fans need two dimensions", shape.toString(), "(out, in, …)", "");
        }
    }
}
