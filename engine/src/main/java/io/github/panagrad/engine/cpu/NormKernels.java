package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.op.LayerNorm;
import io.github.panagrad.engine.op.RmsNorm;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import org.jspecify.annotations.Nullable;

/// The normalisations and their gradients, as kernels of the ops.
final class NormKernels {
    private NormKernels() {}

    static void register(KernelTable table) {
        table.add(RmsNorm.class, new RmsForward(), ElementwiseKernels::real);
        table.add(RmsNorm.Grad.class, new RmsBackward(), ElementwiseKernels::real);
        table.add(LayerNorm.class, new LayerForward(), ElementwiseKernels::real);
        table.add(LayerNorm.Grad.class, new LayerBackward(), ElementwiseKernels::real);
    }

    private static final class RmsForward implements Kernel<RmsNorm> {
        @Override
        public void run(RmsNorm op, View[] in, View[] out) {
            View x = in[0];
            RmsNormRows.forward(
                    x.floats(),
                    x.offset(),
                    in[1].floats(),
                    in[1].offset(),
                    op.eps(),
                    out[0].floats(),
                    out[0].offset(),
                    RowKernels.rows(x),
                    x.dim(-1));
        }
    }

    private static final class RmsBackward implements Kernel<RmsNorm.Grad> {
        @Override
        public void run(RmsNorm.Grad op, View[] in, View[] out) {
            View x = in[0];
            View dx = op.dx() ? out[0] : null;
            View dw = op.dw() ? out[out.length - 1] : null;
            RmsNormRows.backward(
                    x.floats(),
                    x.offset(),
                    in[1].floats(),
                    in[1].offset(),
                    op.eps(),
                    in[2].floats(),
                    in[2].offset(),
                    array(dx),
                    offset(dx),
                    array(dw),
                    offset(dw),
                    RowKernels.rows(x),
                    x.dim(-1));
        }
    }

    private static final class LayerForward implements Kernel<LayerNorm> {
        @Override
        public void run(LayerNorm op, View[] in, View[] out) {
            View x = in[0];
            LayerNormRows.forward(
                    x.floats(),
                    x.offset(),
                    in[1].floats(),
                    in[1].offset(),
                    in[2].floats(),
                    in[2].offset(),
                    op.eps(),
                    out[0].floats(),
                    out[0].offset(),
                    RowKernels.rows(x),
                    x.dim(-1));
        }
    }

    private static final class LayerBackward implements Kernel<LayerNorm.Grad> {
        @Override
        public void run(LayerNorm.Grad op, View[] in, View[] out) {
            View x = in[0];
            int next = 0;
            View dx = op.dx() ? out[next++] : null;
            View dw = op.dw() ? out[next++] : null;
            View db = op.db() ? out[next] : null;
            LayerNormRows.backward(
                    x.floats(),
                    x.offset(),
                    in[1].floats(),
                    in[1].offset(),
                    op.eps(),
                    in[3].floats(),
                    in[3].offset(),
                    array(dx),
                    offset(dx),
                    array(dw),
                    offset(dw),
                    array(db),
                    offset(db),
                    RowKernels.rows(x),
                    x.dim(-1));
        }
    }

    private static float @Nullable [] array(@Nullable View view) {
        return view == null ? null : view.floats();
    }

    private static int offset(@Nullable View view) {
        return view == null ? 0 : view.offset();
    }
}
