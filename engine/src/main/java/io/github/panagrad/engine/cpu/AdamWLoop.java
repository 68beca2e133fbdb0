package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.FloatVector.broadcast;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.op.AdamWStep;
import jdk.incubator.vector.FloatVector;

/// AdamW's update of parameter and moments in one pass over memory; dense, and for chosen entries.
///
/// With m and v the new moments, the entry becomes w·(1 − lr·λ) − r·m/(√v·c + ε), where r is
/// lr/(1 − β₁ᵗ) and c is 1/√(1 − β₂ᵗ), both computed in doubles.
final class AdamWLoop {
    /// Floats that the header of an array takes the place of.
    private static final int HEADER = 4;

    private final float beta1;
    private final float beta2;
    private final float rest1;
    private final float rest2;
    private final float eps;
    private final float keep;
    private final float gradScale;

    /// Takes over the settings of a step, all but its number.
    AdamWLoop(AdamWStep step) {
        beta1 = (float) step.beta1();
        beta2 = (float) step.beta2();
        rest1 = (float) (1 - step.beta1());
        rest2 = (float) (1 - step.beta2());
        eps = (float) step.eps();
        keep = (float) (1 - step.lr() * step.weightDecay());
        gradScale = (float) step.gradScale();
    }

    private static float rate(AdamWStep step, long number) {
        return (float) (step.lr() / (1 - Math.pow(step.beta1(), number)));
    }

    private static float correction(AdamWStep step, long number) {
        return (float) (1 / Math.sqrt(1 - Math.pow(step.beta2(), number)));
    }

    /// Updates n entries; the results may be the operands, at the same offsets.
    static void dense(
            AdamWStep step,
            float[] w,
            int wo,
            float[] g,
            int go,
            float[] m,
            int mo,
            float[] v,
            int vo,
            float[] wNew,
            int wn,
            float[] mNew,
            int mn,
            float[] vNew,
            int vn,
            int n) {
        var loop = new AdamWLoop(step);
        float rate = rate(step, step.step());
        float correction = correction(step, step.step());
        Parallel.RangeBody range =
                (from, to) ->
                        loop.range(
                                rate,
                                correction,
                                w,
                                wo,
                                g,
                                go,
                                m,
                                mo,
                                v,
                                vo,
                                wNew,
                                wn,
                                mNew,
                                mn,
                                vNew,
                                vn,
                                from,
                                to);
        // Vectors begin where a cache line does if the arrays do, after their headers: large ones.
        int lead = Math.min(n, Math.floorMod(-HEADER - wo, V));
        range.run(0, lead);
        Parallel.forRange(
                n - lead, Elementwise.GRAIN, (from, to) -> range.run(lead + from, lead + to));
    }

    /// The rest of the range is scalar: under a mask, all of it would take twice the time.
    private void range(
            float rate,
            float correction,
            float[] w,
            int wo,
            float[] g,
            int go,
            float[] m,
            int mo,
            float[] v,
            int vo,
            float[] wNew,
            int wn,
            float[] mNew,
            int mn,
            float[] vNew,
            int vn,
            int from,
            int to) {
        int i = from;
        for (; i <= to - V; i += V) {
            FloatVector d = FloatVector.fromArray(F, g, go + i).mul(gradScale);
            FloatVector first = FloatVector.fromArray(F, m, mo + i).mul(beta1);
            first = d.fma(broadcast(F, rest1), first);
            FloatVector second = FloatVector.fromArray(F, v, vo + i).mul(beta2);
            second = d.mul(rest2).fma(d, second);
            FloatVector root = second.sqrt().mul(correction).add(eps);
            FloatVector entry = FloatVector.fromArray(F, w, wo + i).mul(keep);
            entry.sub(first.mul(rate).div(root)).intoArray(wNew, wn + i);
            first.intoArray(mNew, mn + i);
            second.intoArray(vNew, vn + i);
        }
        for (; i < to; i++) {
            float d = g[go + i] * gradScale;
            float first = first(m[mo + i], d);
            float second = second(v[vo + i], d);
            wNew[wn + i] = entry(w[wo + i], first, second, rate, correction);
            mNew[mn + i] = first;
            vNew[vn + i] = second;
        }
    }

    private float first(float m, float g) {
        return Math.fma(g, rest1, m * beta1);
    }

    private float second(float v, float g) {
        return Math.fma(g * rest2, g, v * beta2);
    }

    private float entry(float w, float first, float second, float rate, float correction) {
        return w * keep - first * rate / ((float) Math.sqrt(second) * correction + eps);
    }

    /// Updates the entries of w that `live` names, ascending, and their compact moments and step
    /// counts; no other entry of w is read or written.
    static void masked(
            AdamWStep step,
            int[] live,
            int lo,
            float[] w,
            int wo,
            float[] g,
            int go,
            float[] m,
            int mo,
            float[] v,
            int vo,
            int[] steps,
            int so,
            float[] wNew,
            int wn,
            float[] mNew,
            int mn,
            float[] vNew,
            int vn,
            int[] stepsNew,
            int sn,
            int n) {
        var loop = new AdamWLoop(step);
        Parallel.forRange(
                n,
                Elementwise.GRAIN / 4,
                (from, to) -> {
                    int known = -1;
                    float rate = 0;
                    float correction = 0;
                    for (int k = from; k < to; k++) {
                        int number = steps[so + k] + 1;
                        if (number != known) {
                            known = number;
                            rate = rate(step, number);
                            correction = correction(step, number);
                        }
                        int i = live[lo + k];
                        float d = g[go + i] * loop.gradScale;
                        float first = loop.first(m[mo + k], d);
                        float second = loop.second(v[vo + k], d);
                        wNew[wn + i] = loop.entry(w[wo + i], first, second, rate, correction);
                        mNew[mn + k] = first;
                        vNew[vn + k] = second;
                        stepsNew[sn + k] = number;
                    }
                });
    }
}
