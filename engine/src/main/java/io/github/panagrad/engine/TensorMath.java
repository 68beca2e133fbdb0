package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.*;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// The methods of [Tensor] that compute: arithmetic, reductions, shapes. Each applies one op, or a
/// few, and is recorded for backward.
public abstract sealed class TensorMath permits Tensor {
    TensorMath() {}

    abstract Tensor self();

    // Arithmetic, broadcast by NumPy's rules

    /// Adds elementwise. Shapes: broadcast.
    public Tensor add(Tensor other) {
        return Tape.one(new Add(), self(), other);
    }

    /// Adds a number.
    public Tensor add(double number) {
        return affine(1, number);
    }

    /// Multiplies elementwise. Shapes: broadcast.
    public Tensor mul(Tensor other) {
        return Tape.one(new Mul(), self(), other);
    }

    /// Multiplies by a number.
    public Tensor mul(double number) {
        return affine(number, 0);
    }

    /// Computes `scale·x + shift` in one pass.
    public Tensor affine(double scale, double shift) {
        return Tape.one(new Affine(scale, shift), self());
    }

    // Elementwise functions

    /// Squares.
    public Tensor square() {
        return mul(self());
    }

    /// Takes the reciprocal square root.
    public Tensor rsqrt() {
        return Tape.one(new Rsqrt(), self());
    }

    /// Applies the logistic function.
    public Tensor sigmoid() {
        return Tape.one(new Sigmoid(), self());
    }

    // Products

    /// Multiplies matrices over the last two dimensions; leading ones broadcast.
    ///
    /// Shapes: (…, M, K) · (…, K, N) → (…, M, N).
    public Tensor matmul(Tensor other) {
        return Tape.one(new MatMul(), self(), other);
    }

    // Reductions

    /// Sums all elements. Shapes: (*) → ().
    public Tensor sum() {
        return reduceAll(new Sum(allDims()));
    }

    /// Sums over one dimension, which stays with extent 1 if `keep`.
    public Tensor sum(int dim, boolean keep) {
        return reduced(Tape.one(new Sum(List.of(self().shape().axis(dim))), self()), dim, keep);
    }

    /// Averages all elements. Shapes: (*) → ().
    public Tensor mean() {
        return sum().mul(1.0 / self().size());
    }

    /// Averages over one dimension, which stays with extent 1 if `keep`.
    public Tensor mean(int dim, boolean keep) {
        return sum(dim, keep).mul(1.0 / self().dim(dim));
    }

    /// Sums what was broadcast, back to the shape it was broadcast from.
    public Tensor sumTo(Shape target) {
        Tensor x = self();
        if (x.shape().equals(target)) {
            return x;
        }
        int lead = x.rank() - target.rank();
        var dims = new ArrayList<Integer>();
        for (int i = 0; i < x.rank(); i++) {
            if (i < lead || (target.dim(i - lead) == 1 && x.dim(i) != 1)) {
                dims.add(i);
            }
        }
        return Tape.one(new Sum(List.copyOf(dims)), x).reshape(target.toArray());
    }

    private Tensor reduceAll(Sum sum) {
        return self().rank() == 0 ? self() : Tape.one(sum, self()).reshape();
    }

    private List<Integer> allDims() {
        return IntStream.range(0, self().rank()).boxed().toList();
    }

    private Tensor reduced(Tensor kept, int dim, boolean keep) {
        return keep ? kept : kept.reshape(self().shape().without(dim).toArray());
    }

    // Shapes

    /// Gives the elements another shape; one extent may be −1 and is worked out.
    public Tensor reshape(int... dims) {
        Tensor x = self();
        Shape target = Shape.of(inferred(dims));
        if (target.equals(x.shape())) {
            return x;
        }
        boolean view = target.size() != x.size() || x.layout().reshape(target) != null;
        return Tape.one(new Reshape(target), view ? x : x.contiguous());
    }

    private int[] inferred(int[] dims) {
        int[] full = dims.clone();
        int unknown = -1;
        long known = 1;
        for (int i = 0; i < full.length; i++) {
            if (full[i] == -1 && unknown < 0) {
                unknown = i;
            } else {
                known *= full[i];
            }
        }
        if (unknown >= 0) {
            if (known == 0 || self().size() % known != 0) {
                throw new ShapeException(
                        "reshape",
                        "cannot work out the extent −1",
                        self().shape() + " to " + java.util.Arrays.toString(dims),
                        "other extents that divide " + self().size(),
                        "");
            }
            full[unknown] = (int) (self().size() / known);
        }
        return full;
    }

    /// Reorders the dimensions; a view.
    public Tensor permute(int... order) {
        return Tape.one(new Permute(IntStream.of(order).boxed().toList()), self());
    }

    /// Swaps the last two dimensions; a view.
    public Tensor transpose() {
        return transpose(-2, -1);
    }

    /// Swaps two dimensions; a view.
    public Tensor transpose(int a, int b) {
        int[] order = IntStream.range(0, self().rank()).toArray();
        int x = self().shape().axis(a);
        int y = self().shape().axis(b);
        order[x] = y;
        order[y] = x;
        return permute(order);
    }

    /// Repeats extents of 1 and adds leading dimensions; a view.
    public Tensor expand(Shape target) {
        return self().shape().equals(target) ? self() : Tape.one(new Expand(target), self());
    }

    /// Keeps every `step`-th of the elements of one dimension from `start`, `length` in all; a view.
    public Tensor slice(int dim, int start, int length, int step) {
        return Tape.one(new Slice(dim, start, length, step), self());
    }

    /// Keeps `length` elements of one dimension from `start`; a view.
    public Tensor narrow(int dim, int start, int length) {
        return slice(dim, start, length, 1);
    }
}
