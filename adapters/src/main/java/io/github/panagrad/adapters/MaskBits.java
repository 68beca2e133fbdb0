package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;

/// Masks in files: a bit an entry in row-major order, eight to a byte, the first in the lowest bit. The
/// bytes are a vector of I8, to be read as unsigned; bits behind the last entry are 0.
final class MaskBits {
    private MaskBits() {}

    /// Sets the bits of the scores above a threshold.
    static Tensor pack(Tensor scores, double threshold) {
        float[] values = scores.toFloats();
        int[] bytes = new int[Math.ceilDiv(values.length, Byte.SIZE)];
        for (int i = 0; i < values.length; i++) {
            bytes[i / Byte.SIZE] |= values[i] > (float) threshold ? 1 << i % Byte.SIZE : 0;
        }
        float[] signed = new float[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            signed[i] = (byte) bytes[i];
        }
        return Ops.tensor(signed, signed.length).to(DType.I8);
    }

    /// Returns one number where bits are set, another where they are not.
    static Tensor unpack(Tensor bits, Shape shape, double set, double unset) {
        float[] bytes = bits.toFloats();
        float[] values = new float[shape.intSize()];
        if (bytes.length != Math.ceilDiv(values.length, Byte.SIZE)) {
            throw new PanagradException(
                    "mask",
                    "another number of bits",
                    Byte.SIZE * bytes.length + "",
                    shape + ", in whole bytes",
                    "is it of another model?");
        }
        for (int i = 0; i < values.length; i++) {
            boolean on = ((int) bytes[i / Byte.SIZE] >> i % Byte.SIZE & 1) != 0;
            values[i] = (float) (on ? set : unset);
        }
        return Ops.tensor(values, shape.toArray());
    }
}
