package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;

import io.github.panagrad.engine.ground.Parallel;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Runs elementwise loops over whole operands, split between the threads.
///
/// Operands may be strided or repeated ([StridedWalk]); results are contiguous. Offsets count in
/// elements. What is computed for an element does not depend on its place or on the split.
final class Elementwise {
    /// Elements in a chunk: about 5 microseconds of the cheapest function.
    static final int GRAIN = 16384;

    /// Elements that are gathered at a time when an operand has no long runs: they and the result
    /// stay in the L1 cache.
    private static final int BLOCK = 1024;

    private Elementwise() {}

    /// Sets y = f(x, p, q) for n contiguous elements; y may be x.
    static void unary(UnaryFn fn, float p, float q, float[] x, int xo, float[] y, int yo, int n) {
        UnaryLoop loop = fn.loop();
        Parallel.forRange(
                n, GRAIN, (from, to) -> loop.run(x, xo + from, y, yo + from, to - from, p, q));
    }

    /// Sets y = f(a, b, p, q); a and b are operands 0 and 1 of the walk.
    ///
    /// y may be an operand that is contiguous and as large as the result.
    static void binary(
            BinaryFn fn,
            float p,
            float q,
            StridedWalk walk,
            float[] a,
            int ao,
            float[] b,
            int bo,
            float[] y,
            int yo) {
        BinaryLoop loop = fn.loop();
        boolean direct = walk.hasLongRuns();
        int left = walk.innerStride(0);
        int right = walk.innerStride(1);
        Parallel.forRange(
                walk.size(),
                GRAIN,
                (from, to) -> {
                    if (!direct) {
                        binaryGathered(loop, p, q, walk, a, ao, b, bo, y, yo, from, to);
                        return;
                    }
                    walk.runs(
                            from,
                            to,
                            (at, n, starts) -> {
                                int i = ao + starts[0];
                                int j = bo + starts[1];
                                if (right == 0) {
                                    if (left == 0) {
                                        float[] one = {a[i]};
                                        loop.runRight(one, 0, b[j], one, 0, 1, p, q);
                                        java.util.Arrays.fill(y, yo + at, yo + at + n, one[0]);
                                    } else {
                                        loop.runRight(a, i, b[j], y, yo + at, n, p, q);
                                    }
                                } else if (left == 0) {
                                    loop.runLeft(a[i], b, j, y, yo + at, n, p, q);
                                } else {
                                    loop.run(a, i, b, j, y, yo + at, n, p, q);
                                }
                            });
                });
    }

    private static void binaryGathered(
            BinaryLoop loop,
            float p,
            float q,
            StridedWalk walk,
            float[] a,
            int ao,
            float[] b,
            int bo,
            float[] y,
            int yo,
            int from,
            int to) {
        boolean aLies = walk.isContiguous(0);
        boolean bLies = walk.isContiguous(1);
        float[] left = aLies ? a : new float[BLOCK];
        float[] right = bLies ? b : new float[BLOCK];
        // Blocks of whole rows: what is the same for all rows is gathered for the first block only.
        int block = walk.wholeRows(BLOCK);
        boolean aRepeats = walk.isOneRow(0, block);
        boolean bRepeats = walk.isOneRow(1, block);
        for (int at = from; at < to; at += block) {
            int end = Math.min(at + block, to);
            if (!aLies && !(aRepeats && at > from)) {
                walk.gather(0, a, ao, at, end, left, 0);
            }
            if (!bLies && !(bRepeats && at > from)) {
                walk.gather(1, b, bo, at, end, right, 0);
            }
            int i = aLies ? ao + at : 0;
            int j = bLies ? bo + at : 0;
            loop.run(left, i, right, j, y, yo + at, end - at, p, q);
        }
    }

    /// Sets y to 1 where a and b are so related, else to 0; a and b are operands 0 and 1 of the
    /// walk.
    static void relation(
            RelationFn fn,
            StridedWalk walk,
            float[] a,
            int ao,
            float[] b,
            int bo,
            byte[] y,
            int yo) {
        RelationLoop loop = fn.loop();
        boolean aLies = walk.isContiguous(0);
        boolean bLies = walk.isContiguous(1);
        Parallel.forRange(
                walk.size(),
                GRAIN,
                (from, to) -> {
                    float[] left = aLies ? a : new float[BLOCK];
                    float[] right = bLies ? b : new float[BLOCK];
                    for (int at = from; at < to; at += BLOCK) {
                        int end = Math.min(at + BLOCK, to);
                        int i = aLies ? ao + at : gather(walk, 0, a, ao, at, end, left);
                        int j = bLies ? bo + at : gather(walk, 1, b, bo, at, end, right);
                        loop.run(left, i, right, j, y, yo + at, end - at);
                    }
                });
    }

    /// Sets y = condition ? a : b; condition, a and b are operands 0, 1 and 2 of the walk.
    static void where(
            StridedWalk walk,
            byte[] condition,
            int co,
            float[] a,
            int ao,
            float[] b,
            int bo,
            float[] y,
            int yo) {
        boolean cLies = walk.isContiguous(0);
        boolean aLies = walk.isContiguous(1);
        boolean bLies = walk.isContiguous(2);
        Parallel.forRange(
                walk.size(),
                GRAIN,
                (from, to) -> {
                    byte[] bits = cLies ? condition : new byte[BLOCK];
                    float[] left = aLies ? a : new float[BLOCK];
                    float[] right = bLies ? b : new float[BLOCK];
                    for (int at = from; at < to; at += BLOCK) {
                        int end = Math.min(at + BLOCK, to);
                        int i = aLies ? ao + at : gather(walk, 1, a, ao, at, end, left);
                        int j = bLies ? bo + at : gather(walk, 2, b, bo, at, end, right);
                        int k = cLies ? co + at : 0;
                        if (!cLies) {
                            walk.gather(0, condition, co, at, end, bits, 0);
                        }
                        select(bits, k, left, i, right, j, y, yo + at, end - at);
                    }
                });
    }

    private static int gather(
            StridedWalk walk, int operand, float[] src, int offset, int from, int to, float[] dst) {
        walk.gather(operand, src, offset, from, to, dst, 0);
        return 0;
    }

    private static void select(
            byte[] c, int co, float[] a, int ao, float[] b, int bo, float[] y, int yo, int n) {
        int i = 0;
        for (int bound = F.loopBound(n); i < bound; i += Lanes.V) {
            var chosen = VectorMask.fromLong(F, BoolBytes.load(c, co + i, Lanes.V));
            FloatVector.fromArray(F, b, bo + i)
                    .blend(FloatVector.fromArray(F, a, ao + i), chosen)
                    .intoArray(y, yo + i);
        }
        for (; i < n; i++) {
            y[yo + i] = c[co + i] != 0 ? a[ao + i] : b[bo + i];
        }
    }

    /// Sets y = xᵖ: by products and roots for the exponents that have them, else by [Math#pow],
    /// which is some twenty times slower.
    static void pow(float[] x, int xo, double p, float[] y, int yo, int n) {
        if (p == 0) {
            java.util.Arrays.fill(y, yo, yo + n, 1f);
        } else if (p == 1) {
            System.arraycopy(x, xo, y, yo, n);
        } else if (p == 2) {
            unary(UnaryFn.SQUARE, 0, 0, x, xo, y, yo, n);
        } else if (p == 3) {
            unary(UnaryFn.CUBE, 0, 0, x, xo, y, yo, n);
        } else if (p == -1) {
            unary(UnaryFn.RECIPROCAL, 0, 0, x, xo, y, yo, n);
        } else {
            Parallel.forRange(
                    n,
                    1024,
                    (from, to) -> {
                        for (int i = from; i < to; i++) {
                            y[yo + i] = (float) Math.pow(x[xo + i], p);
                        }
                    });
        }
    }

    /// Sets y = aᵇ element by element; a and b are operands 0 and 1 of the walk.
    static void pow(StridedWalk walk, float[] a, int ao, float[] b, int bo, float[] y, int yo) {
        int left = walk.innerStride(0);
        int right = walk.innerStride(1);
        Parallel.forRange(
                walk.size(),
                1024,
                (from, to) ->
                        walk.runs(
                                from,
                                to,
                                (at, n, starts) -> {
                                    int i = ao + starts[0];
                                    int j = bo + starts[1];
                                    for (int k = 0; k < n; k++) {
                                        double base = a[i + k * left];
                                        y[yo + at + k] = (float) Math.pow(base, b[j + k * right]);
                                    }
                                }));
    }
}
