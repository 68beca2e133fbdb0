package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.AdamWStep;
import io.github.panagrad.engine.op.MaskedAdamWStep;
import io.github.panagrad.engine.op.MaskedSgdStep;
import io.github.panagrad.engine.op.SgdStep;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Faults;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// The optimizers' steps, in place or not: one pass over parameter, gradient and state.
///
/// With m and v the new moments, AdamW's entry becomes w·(1 − lr·λ) − r·m/(√v·c + ε), where r is
/// lr/(1 − β₁ᵗ) and c is 1/√(1 − β₂ᵗ); both are computed in doubles, and for entries that count
/// their own steps from the logarithms of β, which are.
final class UpdateKernels {
    private static final int LOCAL = 128;

    /// Below this, 1 − exp(x) would lose digits, and a series is used.
    private static final float NEAR_ZERO = -0.5f;

    private final PanagradDevice device;
    private final CopyKernels copies;
    private final Program adamW;
    private final Program maskedAdamW;
    private final Program sgd;
    private final Program maskedSgd;

    UpdateKernels(PanagradDevice device, CopyKernels copies) {
        this.device = device;
        this.copies = copies;
        Programs programs = device.programs();
        adamW = programs.add("adamW", LOCAL, UpdateKernels::kAdamW);
        maskedAdamW = programs.add("maskedAdamW", LOCAL, UpdateKernels::kMaskedAdamW);
        sgd = programs.add("sgd", LOCAL, UpdateKernels::kSgd);
        maskedSgd = programs.add("maskedSgd", LOCAL, UpdateKernels::kMaskedSgd);
    }

    void register(KernelTable table) {
        table.add(AdamWStep.class, this::adamW, (op, in) -> KernelTable.floats(in));
        table.add(MaskedAdamWStep.class, this::maskedAdamW, (op, in) -> masked(in, 4));
        table.add(SgdStep.class, this::sgd, (op, in) -> KernelTable.floats(in));
        table.add(MaskedSgdStep.class, this::maskedSgd, (op, in) -> masked(in, 3));
    }

    /// Tells whether the first operands are F32 and the last two, steps and entries, I32.
    private static boolean masked(View[] in, int floats) {
        for (int i = 0; i < in.length; i++) {
            if (in[i].dtype() != (i < floats ? DType.F32 : DType.I32)) {
                return false;
            }
        }
        return true;
    }

    private void adamW(AdamWStep op, View[] in, View[] out) {
        int n = in[0].size();
        int[] launch = {
            n,
            Places.at(in[0]),
            Places.at(in[1]),
            Places.at(in[2]),
            Places.at(in[3]),
            Places.at(out[0]),
            Places.at(out[1]),
            Places.at(out[2])
        };
        adamW.launch(
                n,
                launch,
                (float) op.beta1(),
                (float) (1 - op.beta1()),
                (float) op.beta2(),
                (float) (1 - op.beta2()),
                (float) op.eps(),
                (float) (1 - op.lr() * op.weightDecay()),
                (float) op.gradScale(),
                (float) (op.lr() / (1 - Math.pow(op.beta1(), op.step()))),
                (float) (1 / Math.sqrt(1 - Math.pow(op.beta2(), op.step()))));
    }

    private void maskedAdamW(MaskedAdamWStep op, View[] in, View[] out) {
        keepOthers(in[0], out[0]);
        int k = in[5].size();
        int[] launch = {
            k,
            Places.at(in[0]),
            Places.at(in[1]),
            Places.at(in[2]),
            Places.at(in[3]),
            Places.at(out[0]),
            Places.at(out[1]),
            Places.at(out[2]),
            Places.at(in[4]),
            Places.at(in[5]),
            Places.at(out[3]),
            in[0].size(),
            device.faults().at(),
            device.faults().number(op.name())
        };
        AdamWStep of = op.of();
        maskedAdamW.launch(
                k,
                launch,
                (float) of.beta1(),
                (float) (1 - of.beta1()),
                (float) of.beta2(),
                (float) (1 - of.beta2()),
                (float) of.eps(),
                (float) (1 - of.lr() * of.weightDecay()),
                (float) of.gradScale(),
                (float) of.lr(),
                (float) Math.log(of.beta1()),
                (float) Math.log(of.beta2()));
    }

    private void sgd(SgdStep op, View[] in, View[] out) {
        int n = in[0].size();
        int[] launch = {
            n,
            Places.at(in[0]),
            Places.at(in[1]),
            Places.at(in[2]),
            Places.at(out[0]),
            Places.at(out[1])
        };
        sgd.launch(
                n,
                launch,
                (float) op.momentum(),
                (float) op.weightDecay(),
                (float) op.gradScale(),
                (float) op.lr());
    }

    private void maskedSgd(MaskedSgdStep op, View[] in, View[] out) {
        keepOthers(in[0], out[0]);
        int k = in[4].size();
        int[] launch = {
            k,
            Places.at(in[0]),
            Places.at(in[1]),
            Places.at(in[2]),
            Places.at(out[0]),
            Places.at(out[1]),
            Places.at(in[3]),
            Places.at(in[4]),
            Places.at(out[2]),
            in[0].size(),
            device.faults().at(),
            device.faults().number(op.name())
        };
        SgdStep of = op.of();
        maskedSgd.launch(
                k,
                launch,
                (float) of.momentum(),
                (float) of.weightDecay(),
                (float) of.gradScale(),
                (float) of.lr());
    }

    /// Copies a parameter to where its entries will be updated, if that is elsewhere.
    private void keepOthers(View in, View out) {
        if (Places.at(in) != Places.at(out)) {
            copies.copyContiguous(in, out);
        }
    }

    // p: n, w, g, m, v, to: w, m, v
    // r: β₁, 1 − β₁, β₂, 1 − β₂, ε, 1 − lr·λ, scale of g, rate, correction

    private static void kAdamW(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float g = f.get(p.get(2) + i) * r.get(6);
            float m = g * r.get(1) + f.get(p.get(3) + i) * r.get(0);
            float v = g * r.get(3) * g + f.get(p.get(4) + i) * r.get(2);
            float w = f.get(p.get(1) + i) * r.get(5);
            f.set(p.get(5) + i, w - m * r.get(7) / (TornadoMath.sqrt(v) * r.get(8) + r.get(4)));
            f.set(p.get(6) + i, m);
            f.set(p.get(7) + i, v);
        }
    }

    // p: k, w, g, m, v, to: w, m, v, steps, entries, new steps, size of w, fault, op
    // r: β₁, 1 − β₁, β₂, 1 − β₂, ε, 1 − lr·λ, scale of g, lr, ln β₁, ln β₂

    private static void kMaskedAdamW(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int k = c.globalIdx;
        if (k < p.get(0)) {
            int i = n.get(p.get(9) + k);
            if (i < 0 || i >= p.get(11)) {
                Faults.note(n, p.get(12), p.get(13), i, p.get(11));
            } else {
                int step = n.get(p.get(8) + k) + 1;
                float rate = r.get(7) / oneMinusExp(r.get(8) * step);
                float correction = 1f / TornadoMath.sqrt(oneMinusExp(r.get(9) * step));
                float g = f.get(p.get(2) + i) * r.get(6);
                float m = g * r.get(1) + f.get(p.get(3) + k) * r.get(0);
                float v = g * r.get(3) * g + f.get(p.get(4) + k) * r.get(2);
                float w = f.get(p.get(1) + i) * r.get(5);
                f.set(p.get(5) + i, w - m * rate / (TornadoMath.sqrt(v) * correction + r.get(4)));
                f.set(p.get(6) + k, m);
                f.set(p.get(7) + k, v);
                n.set(p.get(10) + k, step);
            }
        }
    }

    /// Returns 1 − exp(x) for x ≤ 0, near 0 by its series.
    private static float oneMinusExp(float x) {
        float y = 1f - TornadoMath.exp(x);
        if (x > NEAR_ZERO) {
            float sum = 1f + x / 9f;
            sum = 1f + x / 8f * sum;
            sum = 1f + x / 7f * sum;
            sum = 1f + x / 6f * sum;
            sum = 1f + x / 5f * sum;
            sum = 1f + x / 4f * sum;
            sum = 1f + x / 3f * sum;
            sum = 1f + x / 2f * sum;
            y = -x * sum;
        }
        return y;
    }

    // p: n, w, g, b, to: w, b; r: μ, λ, scale of g, lr

    private static void kSgd(KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float w = f.get(p.get(1) + i);
            float b = f.get(p.get(3) + i) * r.get(0) + f.get(p.get(2) + i) * r.get(2);
            b = w * r.get(1) + b;
            f.set(p.get(5) + i, b);
            f.set(p.get(4) + i, w - b * r.get(3));
        }
    }

    // p: k, w, g, b, to: w, b, steps, entries, new steps, size of w, fault, op
    // r: μ, λ, scale of g, lr

    private static void kMaskedSgd(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int k = c.globalIdx;
        if (k < p.get(0)) {
            int i = n.get(p.get(7) + k);
            if (i < 0 || i >= p.get(9)) {
                Faults.note(n, p.get(10), p.get(11), i, p.get(9));
            } else {
                float w = f.get(p.get(1) + i);
                float b = f.get(p.get(3) + k) * r.get(0) + f.get(p.get(2) + i) * r.get(2);
                b = w * r.get(1) + b;
                f.set(p.get(5) + k, b);
                f.set(p.get(4) + i, w - b * r.get(3));
                n.set(p.get(8) + k, n.get(p.get(6) + k) + 1);
            }
        }
    }
}
