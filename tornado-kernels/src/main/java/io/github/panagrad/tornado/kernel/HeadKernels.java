package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.LinearCrossEntropy;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.Faults;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Linear head with cross-entropy: the logits of some tokens at a time become, in place, their own
/// gradient, from which both gradients are added up. All logits are never there.
///
/// Soft caps and the gradient's filter are left to the composed form.
final class HeadKernels {
    private static final String NAME = "linearCrossEntropy";
    private static final int LOCAL = RowGroups.LOCAL;

    /// Tokens at a time at least, whatever the budget: the weight is read once for all of them.
    private static final int LEAST_TOKENS = 64;

    private final PanagradDevice device;
    private final MatMulKernels products;
    private final CopyKernels copies;
    private final Program rows;
    private final Program sum;

    HeadKernels(PanagradDevice device, MatMulKernels products, CopyKernels copies) {
        this.device = device;
        this.products = products;
        this.copies = copies;
        Programs programs = device.programs();
        rows = programs.add("headRows", LOCAL, HeadKernels::kRows);
        sum = programs.add("headLoss", LOCAL, HeadKernels::kLoss);
    }

    void register(KernelTable table) {
        table.add(LinearCrossEntropy.class, new HeadKernel(), HeadKernels::suits);
    }

    private static boolean suits(LinearCrossEntropy op, View[] in) {
        return in[0].dtype() == DType.F32
                && in[1].dtype() == DType.F32
                && in[3].dtype() == DType.F32
                && op.options().softCap() == 0
                && op.options().filter() == 0;
    }

    private final class HeadKernel implements Kernel<LinearCrossEntropy> {
        @Override
        public void run(LinearCrossEntropy op, View[] in, View[] out) {
            int tokens = in[0].dim(0);
            int vocabulary = in[1].dim(0);
            int chunk = chunk(op.options(), tokens, vocabulary);
            DeviceStorage logits = device.allocate(DType.F32, (long) chunk * vocabulary);
            DeviceStorage losses = device.allocate(DType.F32, tokens);
            for (int first = 0; first < tokens; first += chunk) {
                int count = Math.min(chunk, tokens - first);
                look(op, in, out, first, count, logits.at(), losses.at());
            }
            if (tokens == 0 && op.dWeight()) {
                View dWeight = out[out.length - 1];
                copies.fill(Places.at(dWeight), dWeight.size(), 0);
            }
            sum.launchGroups(1, new int[] {tokens, losses.at(), Places.at(out[0])});
            copies.fill(Places.at(out[2]), 1, 0);
            logits.release(NAME);
            losses.release(NAME);
        }

        private void look(
                LinearCrossEntropy op,
                View[] in,
                View[] out,
                int first,
                int count,
                int logits,
                int losses) {
            HeadOptions options = op.options();
            int width = in[0].dim(1);
            int vocabulary = in[1].dim(0);
            boolean wanted = op.dHidden() || op.dWeight();
            var hidden = new Matrix(Places.at(in[0]) + first * width, count, width, width, 1);
            var weight = new Matrix(Places.at(in[1]), vocabulary, width, width, 1);
            var z = new Matrix(logits, count, vocabulary, vocabulary, 1);
            products.product(hidden, weight.transposed(), z, false);
            int[] numbers = {
                vocabulary,
                logits,
                Places.at(in[2]) + first,
                Places.at(in[3]) + first,
                Places.at(out[1]) + first,
                losses + first,
                options.ignoreIndex(),
                wanted ? 1 : 0,
                device.faults().at(),
                device.faults().number(NAME)
            };
            rows.launchGroups(
                    count, numbers, (float) options.labelSmoothing(), (float) options.zLoss());
            int next = 3;
            if (op.dHidden()) {
                int at = Places.at(out[next++]) + first * width;
                products.product(z, weight, new Matrix(at, count, width, width, 1), false);
            }
            if (op.dWeight()) {
                var gradient = new Matrix(Places.at(out[next]), vocabulary, width, width, 1);
                products.product(z.transposed(), hidden, gradient, first > 0);
            }
        }
    }

    private static int chunk(HeadOptions options, int tokens, int vocabulary) {
        long fitting = options.memoryBudget() / (4L * vocabulary);
        long most = Math.min(tokens, Integer.MAX_VALUE / vocabulary);
        return (int) Math.clamp(fitting, Math.min(LEAST_TOKENS, most), most);
    }

    // p: vocabulary, logits, targets, weights, nll, losses, the target to be ignored, whether the
    // gradient is wanted, where a fault is noted, the op's number there; r: smoothing, λ of the
    // z-loss

    /// A group a token: log-sum-exp, loss, and the gradient in the logits' place.
    private static void kRows(KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        float[] parts = c.allocateFloatLocalArray(LOCAL);
        int me = c.localIdx;
        int row = c.groupIdx;
        int vocabulary = p.get(0);
        int at = p.get(1) + row * vocabulary;
        int target = n.get(p.get(2) + row);
        int counts = 1;
        if (target == p.get(6)) {
            counts = 0;
        } else if (target < 0 || target >= vocabulary) {
            counts = 0;
            if (me == 0) {
                Faults.note(n, p.get(8), p.get(9), target, vocabulary);
            }
        }
        float top = f.get(at);
        for (int v = me; v < vocabulary; v += LOCAL) {
            top = TornadoMath.max(top, f.get(at + v));
        }
        top = RowGroups.max(c, parts, LOCAL, top);
        float exps = 0f;
        for (int v = me; v < vocabulary; v += LOCAL) {
            exps += TornadoMath.exp(f.get(at + v) - top);
        }
        float lse = top + TornadoMath.log(RowGroups.sum(c, parts, LOCAL, exps));
        float smoothing = r.get(0);
        float all = 0f;
        if (smoothing > 0f) {
            for (int v = me; v < vocabulary; v += LOCAL) {
                all += f.get(at + v);
            }
        }
        float mean = RowGroups.sum(c, parts, LOCAL, all) / vocabulary;
        float weight = f.get(p.get(3) + row);
        float lambda = r.get(1);
        if (me == 0) {
            float nll = 0f;
            float loss = 0f;
            if (counts == 1) {
                float z = f.get(at + target);
                nll = lse - z;
                loss =
                        weight
                                * (lse
                                        - (1f - smoothing) * z
                                        - smoothing * mean
                                        + lambda * lse * lse);
            }
            f.set(p.get(4) + row, nll);
            f.set(p.get(5) + row, loss);
        }
        c.localBarrier();
        if (p.get(7) == 1) {
            float slope = weight * (1f + 2f * lambda * lse);
            float spread = weight * smoothing / vocabulary;
            for (int v = me; v < vocabulary; v += LOCAL) {
                float gradient = 0f;
                if (counts == 1) {
                    gradient = slope * TornadoMath.exp(f.get(at + v) - lse) - spread;
                    if (v == target) {
                        gradient -= weight * (1f - smoothing);
                    }
                }
                f.set(at + v, gradient);
            }
        }
    }

    // p: count, from, to

    /// One group adds up the tokens' losses.
    private static void kLoss(KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        float[] parts = c.allocateFloatLocalArray(LOCAL);
        int me = c.localIdx;
        float sum = 0f;
        for (int i = me; i < p.get(0); i += LOCAL) {
            sum += f.get(p.get(1) + i);
        }
        sum = RowGroups.sum(c, parts, LOCAL, sum);
        if (me == 0) {
            f.set(p.get(2), sum);
        }
    }
}
