package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static io.github.panagrad.engine.cpu.Lanes.all;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.op.SgdStep;
import jdk.incubator.vector.FloatVector;

/// Gradient descent with momentum, b ← μ·b + s·g + λ·w and w ← w − lr·b, in one pass over memory.
final class SgdLoop {
    private SgdLoop() {}

    /// Updates n entries; the results may be the operands, at the same offsets.
    static void run(
            SgdStep step,
            float[] w,
            int wo,
            float[] g,
            int go,
            float[] b,
            int bo,
            float[] wNew,
            int wn,
            float[] bNew,
            int bn,
            int n) {
        FloatVector momentum = all((float) step.momentum());
        FloatVector decay = all((float) step.weightDecay());
        float gradScale = (float) step.gradScale();
        FloatVector down = all((float) -step.lr());
        Parallel.forRange(
                n,
                Elementwise.GRAIN,
                (from, to) -> {
                    for (int i = from; i < to; i += V) {
                        var lanes = Lanes.first(to - i);
                        FloatVector entry = FloatVector.fromArray(F, w, wo + i, lanes);
                        FloatVector d = FloatVector.fromArray(F, g, go + i, lanes).mul(gradScale);
                        FloatVector buffer = FloatVector.fromArray(F, b, bo + i, lanes);
                        buffer = entry.fma(decay, buffer.fma(momentum, d));
                        buffer.intoArray(bNew, bn + i, lanes);
                        buffer.fma(down, entry).intoArray(wNew, wn + i, lanes);
                    }
                });
    }
}
