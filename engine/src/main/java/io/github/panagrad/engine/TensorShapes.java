package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.ArgExtremum;
import io.github.panagrad.engine.op.Expand;
import io.github.panagrad.engine.op.Extremum;
import io.github.panagrad.engine.op.Gather;
import io.github.panagrad.engine.op.IndexSelect;
import io.github.panagrad.engine.op.LogSumExp;
import io.github.panagrad.engine.op.Permute;
import io.github.panagrad.engine.op.Reshape;
import io.github.panagrad.engine.op.ScatterAdd;
import io.github.panagrad.engine.op.Slice;
import io.github.panagrad.engine.op.Sum;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// The methods of [Tensor] that reduce, reshape and pick.
public abstract sealed class TensorShapes permits TensorMath {
    TensorShapes() {}

    abstract Tensor self();

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

    /// Takes the greatest value over one dimension; ties share the gradient.
    public Tensor max(int dim, boolean keep) {
        return extremum(true, dim, keep);
    }

    /// Takes the least value over one dimension; ties share the gradient.
    public Tensor min(int dim, boolean keep) {
        return extremum(false, dim, keep);
    }

    /// Takes the greatest of all values. Shapes: (*) → ().
    public Tensor max() {
        return reshape(-1).max(0, false);
    }

    /// Takes the least of all values. Shapes: (*) → ().
    public Tensor min() {
        return reshape(-1).min(0, false);
    }

    private Tensor extremum(boolean max, int dim, boolean keep) {
        int axis = self().shape().axis(dim);
        return reduced(Tape.one(new Extremum(max, axis), self()), dim, keep);
    }

    /// Finds the index of the greatest value over one dimension, I32; the first of several.
    public Tensor argmax(int dim, boolean keep) {
        int axis = self().shape().axis(dim);
        return reduced(Tape.one(new ArgExtremum(true, axis), self()), dim, keep);
    }

    /// Finds the index of the least value over one dimension, I32; the first of several.
    public Tensor argmin(int dim, boolean keep) {
        int axis = self().shape().axis(dim);
        return reduced(Tape.one(new ArgExtremum(false, axis), self()), dim, keep);
    }

    /// Takes the logarithm of the sum of exponentials over one dimension, without overflow.
    public Tensor logSumExp(int dim, boolean keep) {
        int axis = self().shape().axis(dim);
        return reduced(Tape.one(new LogSumExp(axis), self()), dim, keep);
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

    // Picking

    /// Picks elements along one dimension, y[…, i, …] = x[…, index[…, i, …], …].
    ///
    /// Shapes: index I32 with the extents of x but along `dim` → that of the index.
    public Tensor gather(int dim, Tensor index) {
        return Tape.one(new Gather(self().shape().axis(dim)), self(), index);
    }

    /// Adds the elements into zeros along one dimension, y[…, index[…, i, …], …] += x[…, i, …].
    ///
    /// Shapes: index I32 of this shape → this shape with `extent` along `dim`.
    public Tensor scatterAdd(int dim, Tensor index, int extent) {
        return Tape.one(new ScatterAdd(self().shape().axis(dim), extent), self(), index);
    }

    /// Picks rows of one dimension by number.
    ///
    /// Shapes: index I32 (K) → this shape with K along `dim`.
    public Tensor indexSelect(int dim, Tensor index) {
        return Tape.one(new IndexSelect(self().shape().axis(dim)), self(), index);
    }
}
