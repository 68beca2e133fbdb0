package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.op.Concat;
import io.github.panagrad.engine.op.Gelu;
import io.github.panagrad.engine.op.GeluTanh;
import io.github.panagrad.engine.op.LeakyRelu;
import io.github.panagrad.engine.op.LogSoftmax;
import io.github.panagrad.engine.op.Silu;
import io.github.panagrad.engine.op.StraightThrough;
import io.github.panagrad.engine.op.Triangle;
import io.github.panagrad.engine.op.Where;
import io.github.panagrad.engine.tape.Backward;
import io.github.panagrad.engine.tape.Checkpoint;
import io.github.panagrad.engine.tape.Edge;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Every function of the library that is not a method of [Tensor]: the one static import.
public final class Ops extends TransformerOps {
    private static volatile Rng random = Rng.of(0);

    private Ops() {}

    // Making tensors

    /// Makes a vector of F32 values, or a scalar of a single one.
    public static Tensor tensor(double... values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return tensor(floats, values.length == 1 ? new int[0] : new int[] {values.length});
    }

    /// Makes an F32 tensor over an array, which it takes over; without extents, a vector.
    public static Tensor tensor(float[] values, int... dims) {
        return wrap("tensor", HeapStorage.of(values), values.length, dims);
    }

    /// Makes an F64 tensor over an array, which it takes over; without extents, a vector.
    ///
    /// Only the reference kernels compute in F64.
    public static Tensor tensor64(double[] values, int... dims) {
        return wrap("tensor64", HeapStorage.of(values), values.length, dims);
    }

    /// Makes a tensor of a floating type, rounded to it: constants beside tensors of whichever type.
    public static Tensor tensor(DType dtype, double[] values, int... dims) {
        if (dtype != DType.F32) {
            return tensor64(values.clone(), dims).to(dtype);
        }
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return tensor(floats, dims);
    }

    /// Makes an I32 tensor over an array, which it takes over; without extents, a vector.
    public static Tensor indices(int[] values, int... dims) {
        return wrap("indices", HeapStorage.of(values), values.length, dims);
    }

    /// Makes a BOOL tensor of truth values; without extents, a vector.
    public static Tensor mask(boolean[] values, int... dims) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (values[i] ? 1 : 0);
        }
        return wrap("mask", HeapStorage.of(bytes), bytes.length, dims);
    }

    /// Counts up from 0 to below `end`, I32.
    public static Tensor arange(int end) {
        return arange(0, end, 1);
    }

    /// Counts in steps from `start` to before `end`, I32.
    public static Tensor arange(int start, int end, int step) {
        if (step == 0) {
            throw new PanagradException("arange", "the step is zero", "", "a step up or down", "");
        }
        long n = Math.max(0, Math.ceilDiv((long) end - start, (long) step));
        int[] values = new int[Math.toIntExact(n)];
        java.util.Arrays.setAll(values, i -> start + i * step);
        return indices(values, values.length);
    }

    /// Makes `n` F32 numbers evenly spaced from `start` to `end`, both included.
    public static Tensor linspace(double start, double end, int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            double part = n == 1 ? 0 : (double) i / (n - 1);
            values[i] = (float) (start * (1 - part) + end * part);
        }
        return tensor(values, n);
    }

    /// Makes the F32 unit matrix. Shapes: (n, n).
    public static Tensor eye(int n) {
        float[] values = new float[Shape.of(n, n).intSize()];
        for (int i = 0; i < n; i++) {
            values[i * n + i] = 1;
        }
        return tensor(values, n, n);
    }

    /// Makes a BOOL mask that is true on and below a diagonal: 0 the main one, positive ones above
    /// it.
    public static Tensor trilMask(int rows, int columns, int diagonal) {
        return triangle(new Triangle(true, diagonal), rows, columns);
    }

    /// Makes a BOOL mask that is true on and above a diagonal: 0 the main one, positive ones above
    /// it.
    public static Tensor triuMask(int rows, int columns, int diagonal) {
        return triangle(new Triangle(false, diagonal), rows, columns);
    }

    private static Tensor triangle(Triangle triangle, int rows, int columns) {
        boolean[] values = new boolean[Shape.of(rows, columns).intSize()];
        for (int i = 0; i < values.length; i++) {
            values[i] = triangle.keeps(i / columns, i % columns);
        }
        return mask(values, rows, columns);
    }

    private static Tensor wrap(String op, Storage storage, int n, int[] dims) {
        Shape shape = dims.length == 0 && n != 1 ? Shape.of(n) : Shape.of(dims);
        if (shape.size() != n) {
            throw new ShapeException(
                    op,
                    "wrong number of values",
                    n + " for " + shape,
                    shape.size() + " values",
                    "");
        }
        Scope.register(storage);
        return new Tensor(storage, Layout.contiguous(shape), Device.CPU, null);
    }

    /// Fills a tensor with one number.
    public static Tensor full(DType dtype, Shape shape, double value) {
        Tensor result = Tape.allocate(dtype, shape, Device.CPU);
        Storage storage = result.storage();
        if (dtype == DType.F32) {
            java.util.Arrays.fill(storage.floats(), 0, shape.intSize(), (float) value);
        } else {
            for (long i = 0; i < shape.size(); i++) {
                storage.setDouble(i, value);
            }
        }
        return result;
    }

    /// Makes F32 zeros.
    public static Tensor zeros(int... dims) {
        return full(DType.F32, Shape.of(dims), 0);
    }

    /// Makes zeros of a dtype.
    public static Tensor zeros(DType dtype, Shape shape) {
        return full(dtype, shape, 0);
    }

    /// Makes F32 ones.
    public static Tensor ones(int... dims) {
        return full(DType.F32, Shape.of(dims), 1);
    }

    /// Makes ones of a dtype.
    public static Tensor ones(DType dtype, Shape shape) {
        return full(dtype, shape, 1);
    }

    /// Restarts the generator that [#randn(int...)] and [#rand(int...)] draw from.
    public static void seed(long seed) {
        random = Rng.of(seed);
    }

    /// Draws standard normal F32 numbers.
    public static Tensor randn(int... dims) {
        return randn(random, dims);
    }

    /// Draws standard normal F32 numbers from a generator of your own.
    public static Tensor randn(Rng rng, int... dims) {
        Rng.Draw draw = rng.draw();
        float[] values = new float[Shape.of(dims).intSize()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) draw.normal(i);
        }
        return tensor(values, dims);
    }

    /// Draws F32 numbers uniform in [0, 1).
    public static Tensor rand(int... dims) {
        return rand(random, dims);
    }

    /// Draws F32 numbers uniform in [0, 1) from a generator of your own.
    public static Tensor rand(Rng rng, int... dims) {
        Rng.Draw draw = rng.draw();
        float[] values = new float[Shape.of(dims).intSize()];
        for (int i = 0; i < values.length; i++) {
            values[i] = draw.uniform(i);
        }
        return tensor(values, dims);
    }

    /// Makes a named parameter over a tensor's memory.
    public static Parameter parameter(String name, Tensor values) {
        return new Parameter(name, values);
    }

    // Differentiation and memory

    /// Computes the gradients of a scalar with respect to any tensors in its history.
    ///
    /// @param createGraph whether to record the computation, so that the gradients can be
    ///     differentiated again; otherwise the graph is consumed
    /// @return a gradient for each of `xs`, zeros where `y` does not depend on it
    public static List<Tensor> grad(Tensor y, List<? extends Tensor> xs, boolean createGraph) {
        return grad(y, ones(y.dtype(), y.shape()).to(y.device()), xs, createGraph);
    }

    /// Computes the gradients of any tensor, given its own gradient: a vector-Jacobian product.
    ///
    /// Shapes: dy has the shape of y; each result that of its x.
    public static List<Tensor> grad(
            Tensor y, Tensor dy, List<? extends Tensor> xs, boolean createGraph) {
        var edges = new ArrayList<Edge>();
        for (Tensor x : xs) {
            x.requireHistory("grad");
            edges.add(Objects.requireNonNull(x.edge()));
        }
        Map<Edge, Tensor> found =
                y.edge() == null
                        ? Map.of()
                        : Backward.walk(Map.of(y, dy), Set.copyOf(edges), false, createGraph);
        var grads = new ArrayList<Tensor>();
        for (int i = 0; i < edges.size(); i++) {
            Tensor grad = found.get(edges.get(i));
            Tensor x = xs.get(i);
            grads.add(grad != null ? grad : zeros(x.dtype(), x.shape()).to(x.device()));
        }
        return grads;
    }

    /// Computes the directional derivative of `f` at `x` along `v`: a Jacobian-vector product.
    ///
    /// Forward mode by differentiating the vector-Jacobian product, which is linear in its vector.
    ///
    /// Shapes: v has the shape of x; the result that of f(x).
    public static Tensor jvp(UnaryOperator<Tensor> f, Tensor x, Tensor v) {
        return Tape.recording(
                true,
                () -> {
                    Tensor leaf = x.requireGrad();
                    Tensor y = f.apply(leaf);
                    Tensor u = zeros(y.dtype(), y.shape()).to(y.device()).requireGrad();
                    Tensor pulled = grad(y, u, List.of(leaf), true).getFirst();
                    if (!pulled.requiresGrad()) {
                        return zeros(y.dtype(), y.shape()).to(y.device());
                    }
                    return grad(pulled, v, List.of(u), false).getFirst().detach();
                });
    }

    /// Applies `f` without keeping its intermediates: backward computes them again.
    ///
    /// Trades one more forward pass for their memory (Chen, Xu, Zhang, Guestrin, arXiv 1604.06174).
    /// `f` may use parameters and other tensors from around it and must compute the same when it is
    /// called again. What it draws from [#randn(int...)] and [#rand(int...)] is drawn again alike;
    /// name a generator of your own in [#checkpoint(Rng, UnaryOperator, Tensor)].
    public static Tensor checkpoint(UnaryOperator<Tensor> f, Tensor x) {
        return Checkpoint.apply(one(f), List.of(random), x)[0];
    }

    /// Applies `f`, which draws from `rng`, without keeping its intermediates.
    public static Tensor checkpoint(Rng rng, UnaryOperator<Tensor> f, Tensor x) {
        return Checkpoint.apply(one(f), List.of(random, rng), x)[0];
    }

    /// Applies `f`, of several tensors, without keeping its intermediates.
    public static Tensor[] checkpoint(UnaryOperator<Tensor[]> f, Tensor... x) {
        return Checkpoint.apply(f, List.of(random), x);
    }

    /// Applies `f`, of several tensors and drawing from `rng`, without keeping its intermediates.
    public static Tensor[] checkpoint(Rng rng, UnaryOperator<Tensor[]> f, Tensor... x) {
        return Checkpoint.apply(f, List.of(random, rng), x);
    }

    private static UnaryOperator<Tensor[]> one(UnaryOperator<Tensor> f) {
        return in -> new Tensor[] {f.apply(in[0])};
    }

    /// Runs `body` without recording: nothing in it can be differentiated.
    public static <T extends @Nullable Object> T noGrad(Supplier<T> body) {
        return Tape.recording(false, body);
    }

    /// Runs `body` and gives back the memory of its intermediates, except what it returns.
    public static <T extends @Nullable Object> T scope(Supplier<T> body) {
        return Scope.scope("scope", body);
    }

    /// Runs `body` and gives back the memory of its intermediates.
    public static void scope(Runnable body) {
        Scope.scope(
                "scope",
                () -> {
                    body.run();
                    return null;
                });
    }

    // Functions

    /// Applies Swish, x·σ(x).
    public static Tensor silu(Tensor x) {
        return Tape.one(new Silu(), x);
    }

    /// Applies a step, 1 above a threshold and 0 up to it, whose gradient is that of the identity.
    public static Tensor straightThrough(Tensor x, double threshold) {
        return Tape.one(new StraightThrough(threshold), x);
    }

    /// Applies the exact Gaussian error linear unit, x·Φ(x).
    public static Tensor gelu(Tensor x) {
        return Tape.one(new Gelu(), x);
    }

    /// Applies the Gaussian error linear unit approximated by tanh.
    public static Tensor geluTanh(Tensor x) {
        return Tape.one(new GeluTanh(), x);
    }

    /// Applies the leaky rectifier.
    public static Tensor leakyRelu(Tensor x, double slope) {
        return Tape.one(new LeakyRelu(slope), x);
    }

    /// Takes `a` where the mask is true, else `b`. Shapes: mask BOOL, a, b broadcast.
    public static Tensor where(Tensor mask, Tensor a, Tensor b) {
        return Tape.one(new Where(), mask, a, b);
    }

    /// Takes the logarithm of the softmax over one dimension.
    public static Tensor logSoftmax(Tensor x, int dim) {
        int axis = x.shape().axis(dim);
        return axis == x.rank() - 1
                ? Tape.one(new LogSoftmax(), x)
                : Tape.one(new LogSoftmax(), x.transpose(axis, -1)).transpose(axis, -1);
    }

    /// Puts tensors one after the other along one dimension.
    public static Tensor concat(int dim, Tensor... parts) {
        if (parts.length == 0) {
            throw new PanagradException("concat", "nothing to join", "", "at least one tensor", "");
        }
        return Tape.one(new Concat(parts[0].shape().axis(dim)), parts);
    }

    /// Puts tensors of one shape one after the other along a new dimension, from −rank−1 to rank.
    public static Tensor stack(int dim, Tensor... parts) {
        Tensor[] layers = new Tensor[parts.length];
        for (int i = 0; i < layers.length; i++) {
            if (!parts[i].shape().equals(parts[0].shape())) {
                throw new ShapeException(
                        "stack",
                        "shapes differ",
                        parts[0].spec() + " and " + parts[i].spec(),
                        "one shape",
                        "");
            }
            layers[i] = parts[i].unsqueeze(dim);
        }
        return concat(dim, layers);
    }

    /// Multiplies and sums by index letters: `einsum("bqd,bkd->bqk", q, k)`.
    ///
    /// A letter names a dimension; `...` stands for leading ones that broadcast. Letters that the
    /// result lacks are summed over; a letter twice in an operand takes the diagonal. Without `->`
    /// the result has the letters that occur once, in alphabetical order.
    public static Tensor einsum(String equation, Tensor... operands) {
        return Einsum.compute(equation, operands);
    }

    /// Convolves along the last dimension (a cross-correlation, as everywhere in deep learning).
    ///
    /// Shapes: x (B, C, T), weight (O, C/groups, K), bias (O) or null → (B, O, L),
    /// L = ⌊(T + 2·padding − dilation·(K−1) − 1)/stride⌋ + 1.
    public static Tensor conv1d(
            Tensor x,
            Tensor weight,
            @Nullable Tensor bias,
            int stride,
            int padding,
            int dilation,
            int groups) {
        return Convolution.conv1d(x, weight, bias, stride, padding, dilation, groups);
    }

    /// Looks up rows of a table.
    ///
    /// Shapes: weight (V, D), perhaps in a storage type; ids I32 (*) → (*, D).
    public static Tensor embedding(Tensor weight, Tensor ids) {
        Shape shape = ids.shape().insert(ids.rank(), weight.dim(-1));
        return weight.indexSelect(0, ids.reshape(-1)).reshape(shape.toArray());
    }

    /// Makes vectors of zeros with a one at the index; all zeros for an index out of range.
    ///
    /// Shapes: indices I32 (*) → (*, n).
    public static Tensor oneHot(Tensor indices, int n, DType dtype) {
        int[] column = indices.shape().insert(indices.rank(), 1).toArray();
        return indices.reshape(column).eq(arange(n).to(indices.device())).to(dtype);
    }
}
