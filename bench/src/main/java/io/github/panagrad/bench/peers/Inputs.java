package io.github.panagrad.bench.peers;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/// The numbers that both sides of a comparison start from: drawn alike wherever they are drawn.
public final class Inputs {
    private Inputs() {}

    /// Draws normal numbers; a name always draws the same.
    public static float[] normal(String name, int size) {
        RandomGenerator random = new SplittableRandom(name.hashCode());
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /// Draws normal numbers of another deviation.
    public static float[] scaled(String name, int size, double deviation) {
        float[] values = normal(name, size);
        for (int i = 0; i < size; i++) {
            values[i] *= (float) deviation;
        }
        return values;
    }

    /// Draws whole numbers from 0 to below `bound`; a name always draws the same.
    public static int[] whole(String name, int size, int bound) {
        return new SplittableRandom(name.hashCode()).ints(size, 0, bound).toArray();
    }
}
