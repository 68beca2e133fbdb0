package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.FloatVector.broadcast;

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
        float momentum = (float) step.momentum();
        float decay = (float) step.weightDecay();
        float gradScale = (float) step.gradScale();
        float down = (float) -step.lr();
        Parallel.forRange(
                n,
                Elementwise.GRAIN,
                (from, to) -> {
                    int i = from;
                    for (; i <= to - V; i += V) {
                        FloatVector entry = FloatVector.fromArray(F, w, wo + i);
                        FloatVector d = FloatVector.fromArray(F, g, go + i).mul(gradScale);
                        FloatVector buffer = FloatVector.fromArray(F, b, bo + i);
                        buffer = buffer.fma(broadcast(F, momentum), d);
                        buffer = entry.fma(broadcast(F, decay), buffer);
                        buffer.intoArray(bNew, bn + i);
                        buffer.fma(broadcast(F, down), entry).intoArray(wNew, wn + i);
                    }
                    for (; i < to; i++) {
                        float entry = w[wo + i];
                        float buffer = Math.fma(b[bo + i], momentum, g[go + i] * gradScale);
                        buffer = Math.fma(entry, decay, buffer);
                        bNew[bn + i] = buffer;
                        wNew[wn + i] = Math.fma(buffer, down, entry);
                    }
                });
    }
}
