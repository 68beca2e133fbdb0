package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;

import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;

/// The body of every [UnaryLoop]: whole vectors, then the rest under a mask.
///
/// The tail goes through the same function, so an element's bits do not depend on where it stands.
final class UnaryTemplate implements UnaryLoop {
    private static final LaneLoops.Unary FN =
            LaneLoops.function(MethodHandles.lookup(), LaneLoops.Unary.class);

    @Override
    public void run(float[] x, int xo, float[] y, int yo, int n, float p, float q) {
        int i = 0;
        for (int bound = F.loopBound(n); i < bound; i += Lanes.V) {
            FN.apply(FloatVector.fromArray(F, x, xo + i), p, q).intoArray(y, yo + i);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            FN.apply(FloatVector.fromArray(F, x, xo + i, rest), p, q).intoArray(y, yo + i, rest);
        }
    }
}
