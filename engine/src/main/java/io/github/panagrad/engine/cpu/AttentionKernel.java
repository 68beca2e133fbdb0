package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.op.Attention;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.ArrayList;
import java.util.List;

/// [Attention] on views: heads are read where they lie, in any layout whose last stride is 1.
final class AttentionKernel implements Kernel<Attention> {
    private static final int OPERANDS = 3;

    @Override
    public boolean acceptsStrides(int i) {
        return i < OPERANDS;
    }

    @Override
    public void run(Attention op, View[] in, View[] out) {
        var copies = new ArrayList<float[]>();
        AttentionForward.run(
                problem(op, in),
                heads(in[0], copies),
                heads(in[1], copies),
                heads(in[2], copies),
                heads(out[0], copies),
                out[1].floats(),
                out[1].offset());
        copies.forEach(Pool.floats()::release);
    }

    /// Poses the op's problem for its operands q, k, v, key mask and segments.
    private static AttentionProblem problem(Attention op, View[] in) {
        int next = OPERANDS;
        View keyMask = op.hasKeyMask() ? in[next++] : null;
        View segments = op.hasSegments() ? in[next] : null;
        return new AttentionProblem(
                in[0].dim(0),
                in[0].dim(1),
                in[1].dim(1),
                in[0].dim(2),
                in[1].dim(2),
                in[0].dim(3),
                (float) op.scale(),
                op.causal(),
                op.window(),
                keyMask == null ? null : keyMask.bytes(),
                keyMask == null ? 0 : keyMask.offset(),
                segments == null ? null : segments.ints(),
                segments == null ? 0 : segments.offset());
    }

    private static HeadView heads(View view, List<float[]> copies) {
        if (view.dim(3) == 1 || view.stride(3) == 1) {
            return new HeadView(
                    view.floats(), view.offset(), view.stride(0), view.stride(1), view.stride(2));
        }
        float[] copy = Pool.floats().acquire(view.size());
        copies.add(copy);
        for (int i = 0; i < view.size(); i++) {
            copy[i] = (float) view.get(i);
        }
        return HeadView.bthd(copy, 0, view.dim(1), view.dim(2), view.dim(3));
    }

    /// The gradients of attention, after its operands, results and the gradient of the first.
    static final class Grad implements Kernel<Attention.Grad> {
        @Override
        public boolean acceptsStrides(int i) {
            return i < OPERANDS;
        }

        @Override
        public void run(Attention.Grad op, View[] in, View[] out) {
            var copies = new ArrayList<float[]>();
            int results = in.length - 3;
            int next = 0;
            HeadView dq = op.dq() ? heads(out[next++], copies) : null;
            HeadView dk = op.dk() ? heads(out[next++], copies) : null;
            HeadView dv = op.dv() ? heads(out[next], copies) : null;
            AttentionBackward.run(
                    problem(op.of(), in),
                    heads(in[0], copies),
                    heads(in[1], copies),
                    heads(in[2], copies),
                    heads(in[results], copies),
                    in[results + 1].floats(),
                    in[results + 1].offset(),
                    heads(in[results + 2], copies),
                    dq,
                    dk,
                    dv);
            copies.forEach(Pool.floats()::release);
        }
    }
}
