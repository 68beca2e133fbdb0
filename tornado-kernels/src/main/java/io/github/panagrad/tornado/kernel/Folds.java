package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Folds of blocks [outer, n, inner] over n: sums, sums of squares, greatest and least values.
///
/// Lanes share a row if inner is 1; else a thread walks down a column. Where that makes too few
/// threads, n is cut into blocks, whose results are folded again, always in the same order. A block
/// of a row is a part of it; one of a column is every k-th of its elements, so that neighbouring
/// threads have neighbouring elements however few columns there are.
final class Folds {
    /// Adds up.
    static final int SUM = 0;

    /// Adds up squares.
    static final int SQUARES = 1;

    /// Finds the greatest; NaN wins.
    static final int MAX = 2;

    /// Finds the least; NaN wins.
    static final int MIN = 3;

    private static final int LOCAL = RowGroups.LOCAL;

    /// Threads that are enough for any device.
    private static final int THREADS = 1 << 17;

    /// Elements of a row that are worth a block of their own.
    private static final int ROW_BLOCK = 8 * LOCAL;

    /// Elements of a column that are worth a block of their own.
    private static final int COLUMN_BLOCK = 16;

    private static final int MOST_BLOCKS = 256;

    private final PanagradDevice device;
    private final Program rows;
    private final Program columns;
    private final Program ints;

    Folds(PanagradDevice device) {
        this.device = device;
        rows = device.programs().add("foldRows", LOCAL, Folds::kFoldRows);
        columns = device.programs().add("foldColumns", LOCAL, Folds::kFoldColumns);
        ints = device.programs().add("sumInts", LOCAL, Folds::kSumInts);
    }

    /// Folds floats from one place to another, contiguous [outer, inner].
    void run(int function, int from, int outer, int n, int inner, int to) {
        run(function, false, from, outer, n, inner, to);
    }

    /// Writes the square roots of the sums of squares.
    void norms(int from, int outer, int n, int inner, int to) {
        run(SQUARES, true, from, outer, n, inner, to);
    }

    private void run(int function, boolean root, int from, int outer, int n, int inner, int to) {
        int results = Math.multiplyExact(outer, inner);
        if (results == 0) {
            return;
        }
        int blocks = blocks(results, n, inner);
        if (blocks == 1) {
            pass(function, root, from, outer, n, inner, 1, to);
            return;
        }
        DeviceStorage parts = device.allocate(DType.F32, (long) results * blocks);
        pass(function, false, from, outer, n, inner, blocks, parts.at());
        int again = function == SQUARES ? SUM : function;
        pass(again, root, parts.at(), outer, blocks, inner, 1, to);
        parts.release("fold");
    }

    private static int blocks(int results, int n, int inner) {
        int threads = inner == 1 ? (int) Math.min(THREADS, (long) results * LOCAL) : results;
        int useful = n / (inner == 1 ? ROW_BLOCK : COLUMN_BLOCK);
        return Math.max(1, Math.min(Math.min(THREADS / threads, useful), MOST_BLOCKS));
    }

    private void pass(
            int function, boolean root, int from, int outer, int n, int inner, int blocks, int to) {
        int lines = outer * blocks * inner;
        int each = (n + blocks - 1) / blocks;
        int lanes = RowGroups.lanes(each);
        int[] numbers = {lines, lanes, n, blocks, each, inner, from, to, function, root ? 1 : 0};
        if (inner == 1) {
            rows.launchGroups(RowGroups.groups(lines, lanes), numbers, start(function));
        } else {
            columns.launch(lines, numbers, start(function));
        }
    }

    private static float start(int function) {
        return switch (function) {
            case MAX -> Float.NEGATIVE_INFINITY;
            case MIN -> Float.POSITIVE_INFINITY;
            default -> 0;
        };
    }

    /// Adds up ints, rows as if they were columns.
    void sumInts(int from, int outer, int n, int inner, int to) {
        int results = Math.multiplyExact(outer, inner);
        if (results == 0) {
            return;
        }
        int useful = Math.min(n / COLUMN_BLOCK, inner == 1 ? LOCAL : MOST_BLOCKS);
        int blocks = Math.max(1, Math.min(THREADS / Math.min(THREADS, results), useful));
        if (blocks == 1) {
            ints.launch(results, new int[] {results, n, 1, inner, from, to});
            return;
        }
        DeviceStorage parts = device.allocate(DType.I32, (long) results * blocks);
        int lines = results * blocks;
        ints.launch(lines, new int[] {lines, n, blocks, inner, from, parts.at()});
        ints.launch(results, new int[] {results, blocks, 1, inner, parts.at(), to});
        parts.release("fold");
    }

    /// Takes one more element.
    private static float fold(int function, float soFar, float x) {
        float y = soFar + x;
        if (function == SQUARES) {
            y = soFar + x * x;
        }
        if (function == MAX) {
            y = soFar;
            if (x > soFar) {
                y = x;
            }
        }
        if (function == MIN) {
            y = soFar;
            if (x < soFar) {
                y = x;
            }
        }
        if (Float.isNaN(x)) {
            y = x;
        }
        if (Float.isNaN(soFar)) {
            y = soFar;
        }
        return y;
    }

    // p: lines, lanes, n, blocks of a line, elements of a block, inner, from, to, function, whether
    // results are square roots; r: the result for no elements

    private static void kFoldRows(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        float[] parts = c.allocateFloatLocalArray(LOCAL);
        int lines = p.get(0);
        int lanes = p.get(1);
        int length = p.get(2);
        int blocks = p.get(3);
        int function = p.get(8);
        int t = c.localIdx;
        int lane = t % lanes;
        int line = RowGroups.row(c, p);
        float value = r.get(0);
        if (line < lines) {
            int begin = line % blocks * p.get(4);
            int end = TornadoMath.min(begin + p.get(4), length);
            int from = p.get(6) + line / blocks * length;
            for (int i = begin + lane; i < end; i += lanes) {
                value = fold(function, value, f.get(from + i));
            }
        }
        parts[t] = value;
        if (function == SQUARES) {
            function = SUM;
        }
        c.localBarrier();
        for (int half = lanes / 2; half > 0; half = half / 2) {
            if (lane < half) {
                parts[t] = fold(function, parts[t], parts[t + half]);
            }
            c.localBarrier();
        }
        if (lane == 0 && line < lines) {
            value = parts[t];
            if (p.get(9) == 1) {
                value = TornadoMath.sqrt(value);
            }
            f.set(p.get(7) + line, value);
        }
    }

    private static void kFoldColumns(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int line = c.globalIdx;
        if (line < p.get(0)) {
            int length = p.get(2);
            int blocks = p.get(3);
            int inner = p.get(5);
            int function = p.get(8);
            int column = line % inner;
            int block = line / inner % blocks;
            int from = p.get(6) + line / inner / blocks * length * inner + column;
            float value = r.get(0);
            for (int i = block; i < length; i += blocks) {
                value = fold(function, value, f.get(from + i * inner));
            }
            if (p.get(9) == 1) {
                value = TornadoMath.sqrt(value);
            }
            f.set(p.get(7) + line, value);
        }
    }

    // p: lines, n, blocks of a line, inner, from, to

    private static void kSumInts(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int line = c.globalIdx;
        if (line < p.get(0)) {
            int length = p.get(1);
            int blocks = p.get(2);
            int inner = p.get(3);
            int column = line % inner;
            int block = line / inner % blocks;
            int from = p.get(4) + line / inner / blocks * length * inner + column;
            int sum = 0;
            for (int i = block; i < length; i += blocks) {
                sum += n.get(from + i * inner);
            }
            n.set(p.get(5) + line, sum);
        }
    }
}
