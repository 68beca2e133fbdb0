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

    /// Writes the keys and values of new tokens behind those held; [#advance] makes them count.
    void append(int layer, Tensor newKeys, Tensor newValues) {
        int count = newKeys.dim(1);
        if (length + count > capacity) {
            throw new PanagradException(
                    "key-value cache",
                    "full",
                    length + count + " tokens",
                    "at most " + capacity,
                    "");
        }
        write(newKeys, keys[layer].narrow(1, length, count));
        write(newValues, values[layer].narrow(1, length, count));
    }

    private static void write(Tensor from, Tensor into) {
        Tape.into(new Cast(into.dtype()), new Tensor[] {from}, into);
    }

    /// Returns a layer's keys, those of `count` tokens not yet counted included.
    Tensor keys(int layer, int count) {
        return keys[layer].narrow(1, 0, length + count);
    }

    /// Returns a layer's values, those of `count` tokens not yet counted included.
    Tensor values(int layer, int count) {
        return values[layer].narrow(1, 0, length + count);
    }

    /// Counts tokens that every layer has appended.
    void advance(int count) {
        length += count;
    }
}
