package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.BlockStorage;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Shape;
import java.util.Arrays;
import java.util.Random;

/// Products with parts of random Q8 and NF4 matrices held against a plain product in F64; also runs on
/// its own, in a JVM with another vector width.
final class BlockCases {
    private BlockCases() {}

    /// Checks `rounds` products of extents up to `limit`.
    static void check(long seed, int rounds, int limit) {
        var random = new Random(seed);
        for (int round = 0; round < rounds; round++) {
            String what = "seed " + seed + ", round " + round + ": ";
            DType type = random.nextBoolean() ? DType.Q8 : DType.NF4;
            int rows = 1 + random.nextInt(limit);
            int inner = GemmCases.extent(random, limit) + 1;
            var w = storage(random, type, rows, inner);
            widen(random, w, what);
            int m = random.nextInt(3) == 0 ? 1 + random.nextInt(40) : 1 + random.nextInt(3);
            // Rows of a part of the matrix: every `step`-th, without some columns.
            int step = 1 + random.nextInt(2);
            int from = random.nextInt(rows);
            int n = 1 + random.nextInt((rows - from - 1) / step + 1);
            int column = random.nextInt(3) == 0 ? random.nextInt(inner) : 0;
            column -= random.nextBoolean() ? column % 64 : 0;
            int k = 1 + random.nextInt(inner - column);
            product(random, w, m, n, k, from * inner + column, step * inner, true, what);
            product(random, w, m, k, n, from * inner + column, step * inner, false, what);
        }
    }

    static BlockStorage storage(Random random, DType type, int rows, int inner) {
        var w = BlockStorage.allocate(type, Shape.of(rows, inner));
        float[] row = new float[inner];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < inner; i++) {
                row[i] = (float) random.nextGaussian() * (1 + r % 5);
            }
            w.quantise(r, row, 0);
        }
        return w;
    }

    private static void widen(Random random, BlockStorage w, String what) {
        int length = (int) w.length();
        int from = random.nextInt(length);
        int count = random.nextInt(length - from + 1);
        float[] wide = new float[count + 2];
        Widen.run(w, from, wide, 1, count);
        for (int i = 0; i < count + 2; i++) {
            float expected = i == 0 || i > count ? 0 : (float) w.getDouble(from + i - 1);
            if (wide[i] != expected) {
                throw new AssertionError(
                        what
                                + "element "
                                + i
                                + " of "
                                + count
                                + " from "
                                + from
                                + " is "
                                + wide[i]
                                + ", should be "
                                + expected);
            }
        }
    }

    /// C [m, n] = A·W with W's steps or lanes contiguous.
    static void product(
            Random random,
            BlockStorage w,
            int m,
            int n,
            int k,
            int offset,
            int ld,
            boolean stepsContiguous,
            String what) {
        float[] a = new float[m * k];
        for (int i = 0; i < a.length; i++) {
            a[i] = (float) random.nextGaussian();
        }
        float[] before = new float[m * n + 2];
        for (int i = 0; i < before.length; i++) {
            before[i] = (float) random.nextGaussian();
        }
        boolean accumulate = random.nextBoolean();
        var left = new Operand.Floats(a, 0, k, true);
        var right = new StoredOperand(w, offset, ld, stepsContiguous);
        float[] c = before.clone();
        Gemm.run(m, n, k, left, right, c, 1, n, accumulate);
        float[] expected = before.clone();
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                int at = 1 + i * n + j;
                double sum = accumulate ? before[at] : 0;
                double size = Math.abs(sum);
                for (int p = 0; p < k; p++) {
                    int element = stepsContiguous ? j * ld + p : p * ld + j;
                    double term = a[i * k + p] * w.getDouble(offset + element);
                    sum += term;
                    size += Math.abs(term);
                }
                if (!(Math.abs(c[at] - sum) <= 1e-7 * (4 + Math.sqrt(k)) * size)) {
                    throw new AssertionError(
                            ("%s%s m %d n %d k %d of rows of %d, offset %d, ld %d, %s:"
                                            + " C[%d,%d] is %s, should be %s")
                                    .formatted(
                                            what,
                                            w.dtype(),
                                            m,
                                            n,
                                            k,
                                            w.inner(),
                                            offset,
                                            ld,
                                            stepsContiguous ? "NT" : "NN",
                                            i,
                                            j,
                                            c[at],
                                            sum));
                }
                expected[at] = c[at];
            }
        }
        if (!Arrays.equals(expected, c)) {
            throw new AssertionError(what + "written outside of C");
        }
        int threads = Parallel.threads();
        Parallel.setThreads(threads == 3 ? 1 : 3);
        float[] again = before.clone();
        Gemm.run(m, n, k, left, right, again, 1, n, accumulate);
        Parallel.setThreads(threads);
        if (!Arrays.equals(c, again)) {
            throw new AssertionError(what + "other bits with another number of threads");
        }
    }

    /// Runs the checks and says with which vectors; arguments: seed, rounds, limit.
    public static void main(String[] args) {
        check(Long.parseLong(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]));
        System.out.println("checked with " + Lanes.V + " lanes");
    }
}
