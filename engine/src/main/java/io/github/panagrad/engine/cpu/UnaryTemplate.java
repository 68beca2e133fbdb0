package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;

/// The body of every [UnaryLoop]: whole vectors, then the rest in a padded copy ([Tails]).
///
/// Both go through the same function, so an element's bits do not depend on where it stands.
final class UnaryTemplate implements UnaryLoop {
    private static final LaneLoops.Unary FN =
            LaneLoops.function(MethodHandles.lookup(), LaneLoops.Unary.class);

    @Override
    public void run(float[] x, int xo, float[] y, int yo, int n, float p, float q) {
        int whole = F.loopBound(n);
        float[] from = x;
        float[] to = y;
        int f = xo;
        int t = yo;
        int end = whole;
        for (boolean last = whole == n; ; last = true) {
            for (int i = 0; i < end; i += V) {
                FN.apply(FloatVector.fromArray(F, from, f + i), p, q).intoArray(to, t + i);
            }
            if (last) {
                break;
            }
            from = Tails.padded(x, xo + whole, n - whole);
            to = from;
            f = 0;
            t = 0;
            end = V;
        }
        if (whole < n) {
            System.arraycopy(to, 0, y, yo + whole, n - whole);
        }
    }
}
