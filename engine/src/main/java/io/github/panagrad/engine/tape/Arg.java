package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.Storage;

/// How to draw one operand of a [Sample].
///
/// @param kind real numbers, indices or truth values
/// @param low smallest value
/// @param high bound of the values, exclusive
/// @param shape extents
public record Arg(Kind kind, double low, double high, Shape shape) {
    /// What the values are.
    public enum Kind {
        /// Uniform real numbers that gradients are checked for.
        REAL,
        /// Uniform real numbers, all at least a hundredth apart: for ops with kinks or order.
        DISTINCT,
        /// Real numbers that are constants to backward.
        CONSTANT,
        /// Uniform integers, I32.
        INDEX,
        /// Truth values, BOOL, true with probability 3/4.
        MASK
    }

    /// Draws real numbers from `[low, high)`.
    public static Arg uniform(double low, double high, int... dims) {
        return new Arg(Kind.REAL, low, high, Shape.of(dims));
    }

    /// Draws real numbers from about `[-1, 1)`, no two of them close.
    public static Arg distinct(int... dims) {
        return new Arg(Kind.DISTINCT, -1, 1, Shape.of(dims));
    }

    /// Draws real numbers that are not differentiated.
    public static Arg constant(double low, double high, int... dims) {
        return new Arg(Kind.CONSTANT, low, high, Shape.of(dims));
    }

    /// Draws indices from `[0, bound)`.
    public static Arg index(int bound, int... dims) {
        return new Arg(Kind.INDEX, 0, bound, Shape.of(dims));
    }

    /// Draws truth values.
    public static Arg mask(int... dims) {
        return new Arg(Kind.MASK, 0, 2, Shape.of(dims));
    }

    /// Returns the same kind of values in another shape.
    public Arg shaped(int... dims) {
        return new Arg(kind, low, high, Shape.of(dims));
    }

    /// Tells whether a gradient is checked for this operand.
    public boolean isDifferentiable() {
        return kind == Kind.REAL || kind == Kind.DISTINCT;
    }

    /// Draws the operand.
    ///
    /// @param real the dtype of real numbers
    /// @param strided whether to lay it out with gaps and in another order than row by row
    public Tensor draw(DType real, Device device, Rng rng, boolean strided) {
        DType dtype =
                switch (kind) {
                    case INDEX -> DType.I32;
                    case MASK -> DType.BOOL;
                    default -> real;
                };
        Layout layout = strided ? gappy(shape) : Layout.contiguous(shape);
        Storage storage = HeapStorage.allocate(dtype, strided ? extent(layout) : shape.size());
        Rng.Draw draw = rng.draw();
        int n = shape.intSize();
        for (int i = 0; i < n; i++) {
            double u = draw.uniform(i);
            double value =
                    switch (kind) {
                        case REAL, CONSTANT -> low + (high - low) * u;
                        case DISTINCT -> shuffled(i, n) * 0.02 - 0.01 * n + 0.005 * u;
                        case INDEX -> Math.floor(high * u);
                        case MASK -> u < 0.75 ? 1 : 0;
                    };
            storage.setDouble(layout.position(i), value);
        }
        // What a view leaves out goes to the device, too: kernels have to see the gaps.
        Layout all = Layout.contiguous(Shape.of((int) storage.length()));
        Tensor there = new Tensor(storage, all, Device.CPU, null).to(device);
        return new Tensor(there.storage(), layout, device, null);
    }

    private static int shuffled(int i, int n) {
        int step = n / 2 + 1;
        while (gcd(step, n) != 1) {
            step++;
        }
        return (int) ((long) i * step % n);
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    /// Reverses the order of the dimensions in memory, every second element unused.
    private static Layout gappy(Shape shape) {
        long[] strides = new long[shape.rank()];
        long stride = 2;
        for (int i = 0; i < strides.length; i++) {
            strides[i] = stride;
            stride *= shape.dim(i);
        }
        return Layout.of(shape, strides, 3);
    }

    private static long extent(Layout layout) {
        return 3 + 2 * layout.shape().size() + 1;
    }
}
