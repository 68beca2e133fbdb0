package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.ArgExtremum;
import io.github.panagrad.engine.op.Diagonal;
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
import io.github.panagrad.engine.op.Triangle;
import io.github.panagrad.engine.op.Unfold;
import io.github.panagrad.engine.op.Unslice;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The methods of [Tensor] that reduce, reshape and pick.
public abstract sealed class TensorShapes extends TensorStatistics permits TensorMath {
    TensorShapes() {}

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
                        self().shape() + " to " + Arrays.toString(dims),
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

    /// Keeps every `step`-th of the elements of one dimension from `start`, `length` in all; a
    /// view.
    public Tensor slice(int dim, int start, int length, int step) {
        return Tape.one(new Slice(dim, start, length, step), self());
    }

    /// Keeps `length` elements of one dimension from `start`; a view.
    public Tensor narrow(int dim, int start, int length) {
        return slice(dim, start, length, 1);
    }

    /// Keeps the element `index` of one dimension, which goes; a view.
    public Tensor select(int dim, int index) {
        return narrow(dim, index, 1).squeeze(dim);
    }

    /// Drops a dimension of extent 1; a view.
    public Tensor squeeze(int dim) {
        if (self().dim(dim) != 1) {
            throw new ShapeException(
                    "squeeze",
                    "dimension " + dim + " is not of extent 1",
                    self().spec().toString(),
                    "",
                    "select(dim, index) keeps one element");
        }
        return reshape(self().shape().without(dim).toArray());
    }

    /// Inserts a dimension of extent 1 before `dim`, from −rank−1 to rank; a view.
    public Tensor unsqueeze(int dim) {
        int rank = self().rank();
        int at = dim < 0 ? dim + rank + 1 : dim;
        if (at < 0 || at > rank) {
            throw new ShapeException(
                    "unsqueeze",
                    "no such place in " + self().shape(),
                    Integer.toString(dim),
                    (-rank - 1) + " to " + rank,
                    "");
        }
        return reshape(self().shape().insert(at, 1).toArray());
    }

    /// Merges all dimensions into one. Shapes: (*) → (N).
    public Tensor flatten() {
        return reshape(-1);
    }

    /// Merges the dimensions `from` to `to`, both included, into one.
    public Tensor flatten(int from, int to) {
        Shape shape = self().shape();
        int first = shape.axis(from);
        int last = shape.axis(to);
        if (first > last) {
            throw new ShapeException(
                    "flatten", "dimensions out of order", from + " to " + to, "from ≤ to", "");
        }
        Shape merged = shape.with(first, shape.product(first, last + 1));
        for (int i = first; i < last; i++) {
            merged = merged.without(first + 1);
        }
        return reshape(merged.toArray());
    }

    /// Cuts one dimension into pieces of the given lengths; views.
    public List<Tensor> split(int dim, int... lengths) {
        if (IntStream.of(lengths).sum() != self().dim(dim)) {
            throw new ShapeException(
                    "split",
                    "lengths do not add up",
                    Arrays.toString(lengths) + " of dimension " + dim + " of " + self().spec(),
                    "a sum of " + self().dim(dim),
                    "chunk(dim, pieces) cuts evenly");
        }
        var pieces = new ArrayList<Tensor>();
        int start = 0;
        for (int length : lengths) {
            pieces.add(narrow(dim, start, length));
            start += length;
        }
        return List.copyOf(pieces);
    }

    /// Cuts one dimension into equal pieces, the last one shorter if it must be; views.
    ///
    /// There may be fewer pieces than asked for: 5 in 4 gives lengths 2, 2, 1.
    public List<Tensor> chunk(int dim, int pieces) {
        if (pieces < 1) {
            throw new ShapeException("chunk", "no pieces", "" + pieces, "at least 1", "");
        }
        int extent = self().dim(dim);
        int length = Math.max(1, Math.ceilDiv(extent, pieces));
        int[] lengths = new int[Math.max(1, Math.ceilDiv(extent, length))];
        Arrays.fill(lengths, length);
        lengths[lengths.length - 1] = extent - (lengths.length - 1) * length;
        return split(dim, lengths);
    }

    /// Adds zeros before and after the elements of one dimension.
    public Tensor pad(int dim, int before, int after) {
        checkPadding(before, after);
        int axis = self().shape().axis(dim);
        int extent = self().dim(axis) + before + after;
        return before + after == 0
                ? self()
                : Tape.one(new Unslice(axis, before, 1, extent), self());
    }

    /// Adds elements of one value before and after those of one dimension.
    public Tensor pad(int dim, int before, int after, double value) {
        checkPadding(before, after);
        return Ops.concat(dim, padding(dim, before, value), self(), padding(dim, after, value));
    }

    private static void checkPadding(int before, int after) {
        if (before < 0 || after < 0) {
            throw new ShapeException(
                    "pad", "negative padding", before + " and " + after, "", "narrow() cuts off");
        }
    }

    private Tensor padding(int dim, int length, double value) {
        Spec spec = self().spec().widened();
        return Ops.full(spec.dtype(), spec.shape().with(dim, length), value).to(self().device());
    }

    /// Keeps the lower triangle of matrices, zeros elsewhere.
    ///
    /// Shapes: (…, M, N) → (…, M, N).
    ///
    /// @param diagonal the last diagonal kept: 0 the main one, positive ones above it
    public Tensor tril(int diagonal) {
        return Tape.one(new Triangle(true, diagonal), self());
    }

    /// Keeps the upper triangle of matrices, zeros elsewhere.
    ///
    /// Shapes: (…, M, N) → (…, M, N).
    ///
    /// @param diagonal the first diagonal kept: 0 the main one, positive ones above it
    public Tensor triu(int diagonal) {
        return Tape.one(new Triangle(false, diagonal), self());
    }

    /// Takes the diagonal of two dimensions; the second one goes; a view.
    public Tensor diagonal(int first, int second) {
        int a = self().shape().axis(first);
        int b = self().shape().axis(second);
        return Tape.one(new Diagonal(Math.min(a, b), Math.max(a, b)), self());
    }

    /// Slides a window along one dimension; a view with a last dimension for the window's elements.
    ///
    /// Shapes: (A…, T, B…) → (A…, L, B…, size), L = ⌊(T − dilation·(size−1) − 1)/step⌋ + 1.
    public Tensor unfold(int dim, int size, int step, int dilation) {
        return Tape.one(new Unfold(self().shape().axis(dim), size, step, dilation), self());
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
