package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import java.util.Arrays;

/// A change of few elements of a parameter, which are known by their row-major numbers.
public final class SparseDelta implements TensorDelta {
    private final Shape shape;
    private final int[] entries;
    private final float[] values;

    /// Takes over arrays that hold to the rules of [#of].
    private SparseDelta(Shape shape, int[] entries, float[] values) {
        this.shape = shape;
        this.entries = entries;
        this.values = values;
    }

    /// Creates a change from copies of its places and values.
    ///
    /// @param shape that of the parameter
    /// @param entries the row-major numbers of the elements that change, ascending, each once
    /// @param values what is added to each
    /// @throws PanagradException if the arrays do not pair up, or a number is out of range or order
    public static SparseDelta of(Shape shape, int[] entries, float[] values) {
        if (entries.length != values.length) {
            throw new PanagradException(
                    "sparse delta",
                    "places and values do not pair up",
                    entries.length + " and " + values.length,
                    "equally many",
                    "");
        }
        for (int i = 0; i < entries.length; i++) {
            if (entries[i] < 0 || entries[i] >= shape.size()) {
                throw new PanagradException(
                        "sparse delta",
                        "an index is out of range",
                        "" + entries[i],
                        "0 to " + (shape.size() - 1) + " for " + shape,
                        "is it of another model?");
            }
            if (i > 0 && entries[i] <= entries[i - 1]) {
                throw new PanagradException(
                        "sparse delta",
                        "indices are out of order",
                        entries[i] + " after " + entries[i - 1],
                        "ascending, each once",
                        "");
            }
        }
        return new SparseDelta(shape, entries.clone(), values.clone());
    }

    /// Creates a change from the elements of a dense one whose magnitude is above a threshold, and NaN.
    ///
    /// @param change Shapes: that of the parameter
    /// @param above 0 keeps all that are not zero
    public static SparseDelta of(Tensor change, double above) {
        float[] all = change.toFloats();
        int[] entries = new int[all.length];
        int count = 0;
        for (int i = 0; i < all.length; i++) {
            if (!(Math.abs(all[i]) <= above)) {
                entries[count++] = i;
            }
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = all[entries[i]];
        }
        return new SparseDelta(change.shape(), Arrays.copyOf(entries, count), values);
    }

    /// Returns the row-major numbers of the elements that change, ascending.
    public int[] entries() {
        return entries.clone();
    }

    /// Returns what is added to each of [#entries].
    public float[] values() {
        return values.clone();
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public long stored() {
        return values.length;
    }

    @Override
    public Tensor dense() {
        float[] all = new float[shape.intSize()];
        for (int i = 0; i < entries.length; i++) {
            all[entries[i]] = values[i];
        }
        return Ops.tensor(all, shape.toArray()).keep();
    }

    @Override
    public SparseDelta times(double factor) {
        float[] scaled = new float[values.length];
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] = (float) (values[i] * factor);
        }
        return new SparseDelta(shape, entries, scaled);
    }

    /// Returns the sum, which has the places of both; what both have adds up.
    SparseDelta union(SparseDelta other) {
        int[] places = new int[Math.addExact(entries.length, other.entries.length)];
        float[] sums = new float[places.length];
        int count = 0;
        int a = 0;
        int b = 0;
        while (a < entries.length || b < other.entries.length) {
            int mine = a < entries.length ? entries[a] : Integer.MAX_VALUE;
            int theirs = b < other.entries.length ? other.entries[b] : Integer.MAX_VALUE;
            places[count] = Math.min(mine, theirs);
            sums[count++] =
                    (mine <= theirs ? values[a++] : 0) + (theirs <= mine ? other.values[b++] : 0);
        }
        return new SparseDelta(shape, Arrays.copyOf(places, count), Arrays.copyOf(sums, count));
    }
}
