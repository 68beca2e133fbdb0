package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.AdamWStep;
import io.github.panagrad.engine.op.MaskedAdamWStep;
import io.github.panagrad.engine.op.SgdStep;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;

/// The optimizers' steps, on F32 parameters and state; others stay with the reference.
final class UpdateKernels {
    private UpdateKernels() {}

    static void register(KernelTable table) {
        table.add(AdamWStep.class, new AdamW(), UpdateKernels::floats);
        table.add(MaskedAdamWStep.class, new MaskedAdamW(), UpdateKernels::masked);
        table.add(SgdStep.class, new Sgd(), UpdateKernels::floats);
    }

    private static boolean floats(View[] in) {
        for (View view : in) {
            if (view.dtype() != DType.F32) {
                return false;
            }
        }
        return true;
    }

    private static boolean masked(View[] in) {
        return in[0].dtype() == DType.F32
                && in[1].dtype() == DType.F32
                && in[2].dtype() == DType.F32
                && in[3].dtype() == DType.F32
                && in[4].dtype() == DType.I32
                && in[5].dtype() == DType.I32;
    }

    private static final class AdamW implements Kernel<AdamWStep> {
        @Override
        public void run(AdamWStep op, View[] in, View[] out) {
            AdamWLoop.dense(
                    op,
                    in[0].floats(),
                    in[0].offset(),
                    in[1].floats(),
                    in[1].offset(),
                    in[2].floats(),
                    in[2].offset(),
                    in[3].floats(),
                    in[3].offset(),
                    out[0].floats(),
                    out[0].offset(),
                    out[1].floats(),
                    out[1].offset(),
                    out[2].floats(),
                    out[2].offset(),
                    in[0].size());
        }
    }

    private static final class MaskedAdamW implements Kernel<MaskedAdamWStep> {
        @Override
        public void run(MaskedAdamWStep op, View[] in, View[] out) {
            float[] from = in[0].floats();
            float[] to = out[0].floats();
            if (from != to) {
                System.arraycopy(from, in[0].offset(), to, out[0].offset(), in[0].size());
            }
            AdamWLoop.masked(
                    op.of(),
                    in[5].ints(),
                    in[5].offset(),
                    from,
                    in[0].offset(),
                    in[1].floats(),
                    in[1].offset(),
                    in[2].floats(),
                    in[2].offset(),
                    in[3].floats(),
                    in[3].offset(),
                    in[4].ints(),
                    in[4].offset(),
                    to,
                    out[0].offset(),
                    out[1].floats(),
                    out[1].offset(),
                    out[2].floats(),
                    out[2].offset(),
                    out[3].ints(),
                    out[3].offset(),
                    in[5].size());
        }
    }

    private static final class Sgd implements Kernel<SgdStep> {
        @Override
        public void run(SgdStep op, View[] in, View[] out) {
            SgdLoop.run(
                    op,
                    in[0].floats(),
                    in[0].offset(),
                    in[1].floats(),
                    in[1].offset(),
                    in[2].floats(),
                    in[2].offset(),
                    out[0].floats(),
                    out[0].offset(),
                    out[1].floats(),
                    out[1].offset(),
                    in[0].size());
        }
    }
}
