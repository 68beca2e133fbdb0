package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;

import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;

/// The body of every [RelationLoop]: whole vectors, then the rest under a mask.
final class RelationTemplate implements RelationLoop {
    private static final LaneLoops.Relation FN =
            LaneLoops.function(MethodHandles.lookup(), LaneLoops.Relation.class);

    @Override
    public void run(float[] a, int ao, float[] b, int bo, byte[] y, int yo, int n) {
        int i = 0;
        for (int bound = F.loopBound(n); i < bound; i += Lanes.V) {
            var left = FloatVector.fromArray(F, a, ao + i);
            var right = FloatVector.fromArray(F, b, bo + i);
            BoolBytes.store(FN.test(left, right).toLong(), y, yo + i, Lanes.V);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            var left = FloatVector.fromArray(F, a, ao + i, rest);
            var right = FloatVector.fromArray(F, b, bo + i, rest);
            BoolBytes.store(FN.test(left, right).toLong(), y, yo + i, n - i);
        }
    }
}
