package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.op.LogSoftmax;
import io.github.panagrad.engine.op.Softmax;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Softmax and its logarithm over rows, and their gradients.
final class SoftmaxKernels {
    private static final int LOCAL = RowGroups.LOCAL;

    private final Program forward;
    private final Program backward;

    SoftmaxKernels(Programs programs) {
        forward = programs.add("softmax", LOCAL, SoftmaxKernels::kSoftmax);
        backward = programs.add("softmaxGrad", LOCAL, SoftmaxKernels::kSoftmaxGrad);
    }

    void register(KernelTable table) {
        table.add(
                Softmax.class,
                (Softmax op, View[] in, View[] out) -> forward(in[0], out[0], 0),
                (op, in) -> KernelTable.floats(in));
        table.add(
                LogSoftmax.class,
                (LogSoftmax op, View[] in, View[] out) -> forward(in[0], out[0], 1),
                (op, in) -> KernelTable.floats(in));
        table.add(
                Softmax.Grad.class,
                (Softmax.Grad op, View[] in, View[] out) -> backward(in, out[0], 0),
                (op, in) -> KernelTable.floats(in));
        table.add(
                LogSoftmax.Grad.class,
                (LogSoftmax.Grad op, View[] in, View[] out) -> backward(in, out[0], 1),
                (op, in) -> KernelTable.floats(in));
    }

    private void forward(View in, View out, int logarithm) {
        int n = in.dim(-1);
        int rows = n == 0 ? 0 : in.size() / n;
        int lanes = RowGroups.lanes(n);
        forward.launchGroups(
                RowGroups.groups(rows, lanes),
                new int[] {rows, lanes, n, Places.at(in), Places.at(out), logarithm},
                Float.NEGATIVE_INFINITY);
    }

    private void backward(View[] in, View out, int logarithm) {
        int n = in[0].dim(-1);
        int rows = n == 0 ? 0 : in[0].size() / n;
        int lanes = RowGroups.lanes(n);
        backward.launchGroups(
                RowGroups.groups(rows, lanes),
                new int[] {
                    rows, lanes, n, Places.at(in[0]), Places.at(in[1]), Places.at(out), logarithm
                });
    }

    // p: rows, lanes, n, x, y, whether logarithms are wanted; r: minus infinity

    private static void kSoftmax(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int lanes = p.get(1);
        int length = p.get(2);
        int lane = c.localIdx % lanes;
        int row = RowGroups.row(c, p);
        int from = p.get(3) + row * length;
        int to = p.get(4) + row * length;
        int end = length;
        if (row >= p.get(0)) {
            end = 0;
        }
        float max = r.get(0);
        for (int i = lane; i < end; i += lanes) {
            float x = f.get(from + i);
            if (x > max) {
                max = x;
            }
        }
        max = RowGroups.max(c, lanes, max);
        float sum = 0f;
        for (int i = lane; i < end; i += lanes) {
            sum += TornadoMath.exp(f.get(from + i) - max);
        }
        sum = RowGroups.sum(c, lanes, sum);
        if (p.get(5) == 1) {
            float logSum = TornadoMath.log(sum);
            for (int i = lane; i < end; i += lanes) {
                f.set(to + i, f.get(from + i) - max - logSum);
            }
        } else {
            for (int i = lane; i < end; i += lanes) {
                f.set(to + i, TornadoMath.exp(f.get(from + i) - max) / sum);
            }
        }
    }

    // p: rows, lanes, n, y, dy, dx, whether y are logarithms

    private static void kSoftmaxGrad(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int lanes = p.get(1);
        int length = p.get(2);
        int lane = c.localIdx % lanes;
        int row = RowGroups.row(c, p);
        int y = p.get(3) + row * length;
        int dy = p.get(4) + row * length;
        int dx = p.get(5) + row * length;
        int logarithm = p.get(6);
        int end = length;
        if (row >= p.get(0)) {
            end = 0;
        }
        float sum = 0f;
        for (int i = lane; i < end; i += lanes) {
            float d = f.get(dy + i);
            if (logarithm == 0) {
                d = d * f.get(y + i);
            }
            sum += d;
        }
        sum = RowGroups.sum(c, lanes, sum);
        for (int i = lane; i < end; i += lanes) {
            float d = f.get(dy + i);
            float value = f.get(y + i);
            float gradient = value * (d - sum);
            if (logarithm == 1) {
                gradient = d - sum * TornadoMath.exp(value);
            }
            f.set(dx + i, gradient);
        }
    }
}
