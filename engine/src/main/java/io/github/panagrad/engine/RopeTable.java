package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;

/// The cosines and sines of rotary position embeddings, by position and pair of channels.
///
/// Shapes: cos (P, D/2), sin (P, D/2).
///
/// @param cos the cosines
/// @param sin the sines
public record RopeTable(Tensor cos, Tensor sin) {
    /// Computes the table for a head of `headDim` channels and the positions below `maxPositions`.
    ///
    /// @param theta the base of the wavelengths, 10000 in the paper
    public static RopeTable of(int headDim, double theta, int maxPositions) {
        return of(headDim, theta, maxPositions, RopeScaling.NONE);
    }

    /// Computes the table with stretched frequencies.
    public static RopeTable of(int headDim, double theta, int maxPositions, RopeScaling scaling) {
        int half = headDim / 2;
        double[] cos = new double[maxPositions * half];
        double[] sin = new double[maxPositions * half];
        for (int i = 0; i < half; i++) {
            double frequency = scaling.apply(Math.pow(theta, -2.0 * i / headDim));
            for (int p = 0; p < maxPositions; p++) {
                cos[p * half + i] = Math.cos(p * frequency);
                sin[p * half + i] = Math.sin(p * frequency);
            }
        }
        Shape shape = Shape.of(maxPositions, half);
        return new RopeTable(f32(cos, shape), f32(sin, shape));
    }

    /// Converts to another dtype and device, such as F64 on the reference backend.
    public RopeTable to(DType dtype, Device device) {
        return new RopeTable(cos.to(device).to(dtype).keep(), sin.to(device).to(dtype).keep());
    }

    private static Tensor f32(double[] values, Shape shape) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return new Tensor(HeapStorage.of(floats), Layout.contiguous(shape), Device.CPU, null);
    }
}
