package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Half;
import io.github.panagrad.engine.ground.Parallel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;

/// Random matrix products held against a plain product in F64; also runs on its own, in a JVM with
/// another vector width.
final class GemmCases {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final DType[] STORED = {DType.F32, DType.BF16, DType.F16, DType.I8};

    private GemmCases() {}

    /// Checks `rounds` products of extents up to `limit`.
    static void check(long seed, int rounds, int limit) {
        var random = new Random(seed);
        for (int round = 0; round < rounds; round++) {
            int m = extent(random, limit);
            int n = extent(random, limit);
            int k = extent(random, limit);
            checkOne(random, m, n, k, "seed " + seed + ", round " + round + ": ");
        }
    }

    /// Extents crowd around the edges of tiles: small ones, and multiples of 8 give or take one.
    static int extent(Random random, int limit) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(Math.min(limit, 20));
            case 1 ->
                    Math.clamp(
                            8L * random.nextInt(limit / 8 + 1) + random.nextInt(3) - 1, 0, limit);
            default -> random.nextInt(limit + 1);
        };
    }

    static void checkOne(Random random, int m, int n, int k, String label) {
        boolean transA = random.nextBoolean();
        boolean transB = random.nextBoolean();
        boolean accumulate = random.nextBoolean();
        int lda = Math.max(1, (transA ? m : k) + gap(random));
        int ldb = Math.max(1, (transB ? k : n) + gap(random));
        int ldc = Math.max(1, n + gap(random));
        int aOff = gap(random);
        int bOff = gap(random);
        int cOff = gap(random);
        DType type = STORED[random.nextInt(STORED.length)];
        float[] a = filled(random, aOff, transA ? k : m, transA ? m : k, lda);
        float[] b = filled(random, bOff, transB ? n : k, transB ? k : n, ldb);
        MemorySegment stored = type == DType.F32 ? null : store(type, b);
        float[] c = filled(random, cOff, m, n, ldc);
        String what =
                label
                        + (transA ? "T" : "N")
                        + (transB ? "T" : "N")
                        + (" m " + m + " n " + n + " k " + k)
                        + (" lda " + lda + " ldb " + ldb + " ldc " + ldc)
                        + (" offsets " + aOff + "," + bOff + "," + cOff)
                        + (accumulate ? " accumulate, " : ", ")
                        + type;
        float[] before = c.clone();
        Consumer<float[]> product =
                to -> {
                    if (stored == null) {
                        Gemm.sgemm(
                                transA,
                                transB,
                                m,
                                n,
                                k,
                                a,
                                aOff,
                                lda,
                                b,
                                bOff,
                                ldb,
                                to,
                                cOff,
                                ldc,
                                accumulate);
                    } else {
                        Gemm.sgemm(
                                transA,
                                transB,
                                m,
                                n,
                                k,
                                a,
                                aOff,
                                lda,
                                type,
                                stored,
                                bOff,
                                ldb,
                                to,
                                cOff,
                                ldc,
                                accumulate);
                    }
                };
        product.accept(c);

        float[] expected = before.clone();
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                double size = 0;
                for (int p = 0; p < k; p++) {
                    double term =
                            (double) a[aOff + (transA ? p * lda + i : i * lda + p)]
                                    * b[bOff + (transB ? j * ldb + p : p * ldb + j)];
                    sum += term;
                    size += Math.abs(term);
                }
                int at = cOff + i * ldc + j;
                sum += accumulate ? before[at] : 0;
                size += accumulate ? Math.abs(before[at]) : 0;
                if (!(Math.abs(c[at] - sum) <= 1e-7 * (4 + Math.sqrt(k)) * size)) {
                    throw new AssertionError(
                            what + ": C[" + i + "," + j + "] is " + c[at] + ", should be " + sum);
                }
                expected[at] = c[at];
            }
        }
        if (!Arrays.equals(expected, c)) {
            throw new AssertionError(what + ": written outside of C");
        }
        int threads = Parallel.threads();
        Parallel.setThreads(threads == 3 ? 1 : 3);
        float[] again = before.clone();
        product.accept(again);
        Parallel.setThreads(threads);
        if (!Arrays.equals(c, again)) {
            throw new AssertionError(what + ": other bits with another number of threads");
        }
    }

    private static int gap(Random random) {
        return random.nextBoolean() ? 0 : random.nextInt(5);
    }

    /// A matrix with NaN in its gaps: reading or writing them shows.
    private static float[] filled(Random random, int offset, int rows, int columns, int ld) {
        float[] data = new float[offset + rows * ld + 3];
        Arrays.fill(data, Float.NaN);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                data[offset + i * ld + j] = (float) random.nextGaussian();
            }
        }
        return data;
    }

    /// Stores the values in a native segment and rounds the array to what was stored; gaps hold
    /// NaN, or for I8 a value that would show.
    private static MemorySegment store(DType type, float[] values) {
        var segment = Arena.ofAuto().allocate(Math.max(1, (long) values.length * type.bytes()));
        for (int i = 0; i < values.length; i++) {
            switch (type) {
                case BF16 -> {
                    short bits = Half.floatToBf16(values[i]);
                    segment.set(SHORT, 2L * i, bits);
                    values[i] = Half.bf16ToFloat(bits);
                }
                case F16 -> {
                    short bits = Float.floatToFloat16(values[i]);
                    segment.set(SHORT, 2L * i, bits);
                    values[i] = Float.float16ToFloat(bits);
                }
                default -> {
                    byte bits = Float.isNaN(values[i]) ? 99 : (byte) Math.round(40 * values[i]);
                    segment.set(ValueLayout.JAVA_BYTE, i, bits);
                    values[i] = bits;
                }
            }
        }
        return segment.asSlice(0, (long) values.length * type.bytes());
    }

    /// Runs the checks and says with which vectors; arguments: seed, rounds, limit.
    public static void main(String[] args) {
        check(Long.parseLong(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]));
        System.out.println("checked with " + Lanes.V + " lanes");
    }
}
