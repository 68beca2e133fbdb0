package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Parallel;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Random operands for kernel tests; a failure names its seed.
final class Draws {
    /// Lengths around every vector width, and lengths that several chunks share.
    static final int[] LENGTHS = {
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100
    };

    private final Random random;

    private Draws(long seed) {
        random = new Random(seed);
    }

    /// Runs the test with `rounds` seeds, of which a failure names the one.
    static void each(int rounds, Consumer<Draws> test) {
        for (long seed = 1; seed <= rounds; seed++) {
            try {
                test.accept(new Draws(seed));
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    /// Computes the same with one thread and with three, and returns both.
    static <T> java.util.List<T> withOneAndThreeThreads(Supplier<T> computation) {
        int before = Parallel.threads();
        try {
            Parallel.setThreads(1);
            T one = computation.get();
            Parallel.setThreads(3);
            return java.util.List.of(one, computation.get());
        } finally {
            Parallel.setThreads(before);
        }
    }

    /// Returns normal numbers times `scale`.
    float[] normal(int n, double scale) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) (random.nextGaussian() * scale);
        }
        return values;
    }

    /// Returns numbers from [low, high).
    float[] uniform(int n, double low, double high) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) (low + (high - low) * random.nextDouble());
        }
        return values;
    }

    /// Returns whole numbers from 0 to `bound` − 1.
    int[] integers(int n, int bound) {
        return random.ints(n, 0, bound).toArray();
    }

    /// Returns a whole number from `low` to `high`.
    int between(int low, int high) {
        return random.nextInt(low, high + 1);
    }

    /// Returns a length, mostly one around the vector width.
    int length() {
        return random.nextInt(4) == 0
                ? random.nextInt(300)
                : LENGTHS[random.nextInt(LENGTHS.length)];
    }

    /// Returns a length of at least 1.
    int positiveLength() {
        return Math.max(1, length());
    }

    /// Returns an offset that is no multiple of a vector.
    int offset() {
        return random.nextInt(7);
    }

    /// Returns true or false.
    boolean coin() {
        return random.nextBoolean();
    }
}
