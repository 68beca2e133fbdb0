package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.LayerNorm;
import io.github.panagrad.engine.op.RmsNorm;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// The normalisations of rows and their gradients; that by the root mean square is layer
/// normalisation with a mean and a bias of 0.
final class NormKernels {
    private static final int LOCAL = RowGroups.LOCAL;

    /// Threads that are enough for any device.
    private static final int THREADS = 1 << 17;

    /// Rows that are worth a block of their own in the gradient of the weight.
    private static final int BLOCK = 16;

    private final PanagradDevice device;
    private final Folds folds;
    private final Program forward;
    private final Program backward;
    private final Program weights;

    NormKernels(PanagradDevice device, Folds folds) {
        this.device = device;
        this.folds = folds;
        forward = device.programs().add("norm", LOCAL, NormKernels::kNorm);
        backward = device.programs().add("normGrad", LOCAL, NormKernels::kNormGrad);
        weights = device.programs().add("normWeightGrad", LOCAL, NormKernels::kNormWeightGrad);
    }

    void register(KernelTable table) {
        table.add(
                RmsNorm.class,
                (RmsNorm op, View[] in, View[] out) ->
                        forward(in[0], in[1], null, op.eps(), out[0]),
                (op, in) -> KernelTable.floats(in));
        table.add(
                LayerNorm.class,
                (LayerNorm op, View[] in, View[] out) ->
                        forward(in[0], in[1], in[2], op.eps(), out[0]),
                (op, in) -> KernelTable.floats(in));
        table.add(
                RmsNorm.Grad.class,
                (RmsNorm.Grad op, View[] in, View[] out) ->
                        backward(
                                false,
                                op.eps(),
                                new View[] {in[0], in[1], in[2]},
                                op.dx() ? out[0] : null,
                                op.dw() ? out[out.length - 1] : null,
                                null),
                (op, in) -> KernelTable.floats(in));
        table.add(
                LayerNorm.Grad.class,
                (LayerNorm.Grad op, View[] in, View[] out) -> {
                    int next = 0;
                    View dx = op.dx() ? out[next++] : null;
                    View dw = op.dw() ? out[next++] : null;
                    View db = op.db() ? out[next] : null;
                    backward(true, op.eps(), new View[] {in[0], in[1], in[3]}, dx, dw, db);
                },
                (op, in) -> KernelTable.floats(in));
    }

    private static int rows(View view) {
        return view.dim(-1) == 0 ? 0 : view.size() / view.dim(-1);
    }

    private void forward(View x, View weight, @Nullable View bias, double eps, View out) {
        int n = x.dim(-1);
        int lanes = RowGroups.lanes(n);
        forward.launchGroups(
                RowGroups.groups(rows(x), lanes),
                new int[] {
                    rows(x),
                    lanes,
                    n,
                    bias == null ? 0 : 1,
                    Places.at(x),
                    Places.at(weight),
                    bias == null ? 0 : Places.at(bias),
                    Places.at(out)
                },
                (float) eps);
    }

    /// @param in x, w, dy
    private void backward(
            boolean centred,
            double eps,
            View[] in,
            @Nullable View dx,
            @Nullable View dw,
            @Nullable View db) {
        int n = in[0].dim(-1);
        int rows = rows(in[0]);
        int dy = Places.at(in[2]);
        if (dx != null || dw != null) {
            DeviceStorage statistics = device.allocate(DType.F32, 2L * rows);
            int lanes = RowGroups.lanes(n);
            backward.launchGroups(
                    RowGroups.groups(rows, lanes),
                    new int[] {
                        rows,
                        lanes,
                        n,
                        centred ? 1 : 0,
                        Places.at(in[0]),
                        Places.at(in[1]),
                        dy,
                        dx == null ? -1 : Places.at(dx),
                        statistics.at()
                    },
                    (float) eps);
            if (dw != null) {
                weightGradient(Places.at(in[0]), dy, statistics.at(), rows, n, Places.at(dw));
            }
            statistics.release("norm");
        }
        if (db != null) {
            folds.run(Folds.SUM, dy, 1, rows, n, Places.at(db));
        }
    }

    private void weightGradient(int x, int dy, int statistics, int rows, int n, int dw) {
        int most = Math.max(1, THREADS / Math.max(1, n));
        int blocks = Math.max(1, Math.min(most, rows / BLOCK));
        int each = (rows + blocks - 1) / blocks;
        DeviceStorage parts = device.allocate(DType.F32, (long) blocks * n);
        int to = blocks == 1 ? dw : parts.at();
        weights.launch(blocks * n, new int[] {blocks * n, rows, n, each, x, dy, statistics, to});
        if (blocks > 1) {
            folds.run(Folds.SUM, to, 1, blocks, n, dw);
        }
        parts.release("norm");
    }

    // p: rows, lanes, n, whether there are a mean and a bias, x, w, b, y; r: epsilon

    private static void kNorm(KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int lanes = p.get(1);
        int length = p.get(2);
        int lane = c.localIdx % lanes;
        int row = RowGroups.row(c, p);
        int from = p.get(4) + row * length;
        int to = p.get(7) + row * length;
        int end = length;
        if (row >= p.get(0)) {
            end = 0;
        }
        float sum = 0f;
        if (p.get(3) == 1) {
            for (int i = lane; i < end; i += lanes) {
                sum += f.get(from + i);
            }
        }
        float mean = RowGroups.sum(c, lanes, sum) / length;
        float squares = 0f;
        for (int i = lane; i < end; i += lanes) {
            float x = f.get(from + i) - mean;
            squares += x * x;
        }
        squares = RowGroups.sum(c, lanes, squares);
        float scale = 1f / TornadoMath.sqrt(squares / length + r.get(0));
        for (int i = lane; i < end; i += lanes) {
            float y = (f.get(from + i) - mean) * scale * f.get(p.get(5) + i);
            if (p.get(3) == 1) {
                y += f.get(p.get(6) + i);
            }
            f.set(to + i, y);
        }
    }

    // p: rows, lanes, n, whether there is a mean, x, w, dy, dx (negative if not wanted), means of
    // the
    // rows, which their scales follow; r: epsilon

    private static void kNormGrad(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int rows = p.get(0);
        int lanes = p.get(1);
        int length = p.get(2);
        int centred = p.get(3);
        int lane = c.localIdx % lanes;
        int row = RowGroups.row(c, p);
        int from = p.get(4) + row * length;
        int weight = p.get(5);
        int dy = p.get(6) + row * length;
        int end = length;
        if (row >= rows) {
            end = 0;
        }
        float sum = 0f;
        if (centred == 1) {
            for (int i = lane; i < end; i += lanes) {
                sum += f.get(from + i);
            }
        }
        float mean = RowGroups.sum(c, lanes, sum) / length;
        float squares = 0f;
        float products = 0f;
        float gradients = 0f;
        for (int i = lane; i < end; i += lanes) {
            float x = f.get(from + i) - mean;
            float g = f.get(weight + i) * f.get(dy + i);
            squares += x * x;
            products += x * g;
            gradients += g;
        }
        squares = RowGroups.sum(c, lanes, squares);
        products = RowGroups.sum(c, lanes, products);
        gradients = RowGroups.sum(c, lanes, gradients) / length;
        if (centred == 0) {
            gradients = 0f;
        }
        float scale = 1f / TornadoMath.sqrt(squares / length + r.get(0));
        if (p.get(7) >= 0) {
            int dx = p.get(7) + row * length;
            float along = products / length * scale * scale;
            for (int i = lane; i < end; i += lanes) {
                float x = f.get(from + i) - mean;
                float g = f.get(weight + i) * f.get(dy + i);
                f.set(dx + i, scale * (g - gradients - x * along));
            }
        }
        if (lane == 0 && row < rows) {
            f.set(p.get(8) + row, mean);
            f.set(p.get(8) + rows + row, scale);
        }
    }

    // p: blocks times n, rows, n, rows of a block, x, dy, means of the rows, which their scales
    // follow, to

    private static void kNormWeightGrad(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int rows = p.get(1);
            int length = p.get(2);
            int column = i % length;
            int begin = i / length * p.get(3);
            int end = TornadoMath.min(begin + p.get(3), rows);
            int x = p.get(4) + column;
            int dy = p.get(5) + column;
            int statistics = p.get(6);
            float sum = 0f;
            for (int row = begin; row < end; row++) {
                float centred = f.get(x + row * length) - f.get(statistics + row);
                sum += f.get(dy + row * length) * centred * f.get(statistics + rows + row);
            }
            f.set(p.get(7) + i, sum);
        }
    }
}
