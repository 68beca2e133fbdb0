package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.Cast;
import io.github.panagrad.engine.tape.Tape;

/// Keys and values of the tokens seen so far, layer by layer, for one sequence.
///
/// Values only: nothing is differentiated through it. Shapes: (1, capacity, heads, channels) a
/// layer.
public final class KvCache {
    private final Tensor[] keys;
    private final Tensor[] values;
    private final int capacity;
    private int before;
    private int length;

    KvCache(int layers, int heads, int channels, int capacity, DType dtype, Device device) {
        this.capacity = capacity;
        this.keys = new Tensor[layers];
        this.values = new Tensor[layers];
        Shape shape = Shape.of(1, capacity, heads, channels);
        for (int i = 0; i < layers; i++) {
            keys[i] = Ops.zeros(dtype, shape).to(device).keep();
            values[i] = Ops.zeros(dtype, shape).to(device).keep();
        }
    }

    /// Returns how many tokens are held.
    public int length() {
        return length;
    }

    /// Returns how many tokens fit.
    public int capacity() {
        return capacity;
    }

    /// Makes room for positions in front of the first tokens, such as those of a learned prompt, that
    /// the first call brings along and nobody counts. The cache must be empty.
    public void reserve(int positions) {
        if (length > 0) {
            throw new PanagradException(
                    "key-value cache", "it holds tokens already", "" + length, "an empty one", "");
        }
        for (int i = 0; i < keys.length && before != positions; i++) {
            keys[i] = roomier(keys[i], positions);
            values[i] = roomier(values[i], positions);
        }
        before = positions;
    }

    private Tensor roomier(Tensor old, int positions) {
        Shape shape = Shape.of(1, capacity + positions, old.dim(2), old.dim(3));
        return Ops.zeros(old.dtype(), shape).to(old.device()).keep();
    }

    /// Returns where the next keys and values go.
    private int end() {
        return length == 0 ? 0 : before + length;
    }

    /// Writes the keys and values of new tokens behind those held; [#advance] makes them count.
    void append(int layer, Tensor newKeys, Tensor newValues) {
        int count = newKeys.dim(1);
        int tokens = end() + count - before;
        if (tokens > capacity) {
            throw new PanagradException(
                    "key-value cache", "full", tokens + " tokens", "at most " + capacity, "");
        }
        write(newKeys, keys[layer].narrow(1, end(), count));
        write(newValues, values[layer].narrow(1, end(), count));
    }

    private static void write(Tensor from, Tensor into) {
        Tape.into(new Cast(into.dtype()), new Tensor[] {from}, into);
    }

    /// Returns a layer's keys, those of `count` tokens not yet counted included.
    Tensor keys(int layer, int count) {
        return keys[layer].narrow(1, 0, end() + count);
    }

    /// Returns a layer's values, those of `count` tokens not yet counted included.
    Tensor values(int layer, int count) {
        return values[layer].narrow(1, 0, end() + count);
    }

    /// Counts tokens that every layer has appended.
    void advance(int count) {
        length += count;
    }
}
