package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;

import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;

/// The body of every [BinaryLoop]: whole vectors, then the rest under a mask.
final class BinaryTemplate implements BinaryLoop {
    private static final LaneLoops.Binary FN =
            LaneLoops.function(MethodHandles.lookup(), LaneLoops.Binary.class);

    @Override
    public void run(
            float[] a, int ao, float[] b, int bo, float[] y, int yo, int n, float p, float q) {
        int i = 0;
        for (int bound = F.loopBound(n); i < bound; i += Lanes.V) {
            var left = FloatVector.fromArray(F, a, ao + i);
            var right = FloatVector.fromArray(F, b, bo + i);
            FN.apply(left, right, p, q).intoArray(y, yo + i);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            var left = FloatVector.fromArray(F, a, ao + i, rest);
            var right = FloatVector.fromArray(F, b, bo + i, rest);
            FN.apply(left, right, p, q).intoArray(y, yo + i, rest);
        }
    }

    @Override
    public void runRight(float[] a, int ao, float b, float[] y, int yo, int n, float p, float q) {
        var right = Lanes.all(b);
        int i = 0;
        for (int bound = F.loopBound(n); i < bound; i += Lanes.V) {
            FN.apply(FloatVector.fromArray(F, a, ao + i), right, p, q).intoArray(y, yo + i);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            var left = FloatVector.fromArray(F, a, ao + i, rest);
            FN.apply(left, right, p, q).intoArray(y, yo + i, rest);
        }
    }

    @Override
    public void runLeft(float a, float[] b, int bo, float[] y, int yo, int n, float p, float q) {
        var left = Lanes.all(a);
        int i = 0;
        for (int bound = F.loopBound(n); i < bound; i += Lanes.V) {
            FN.apply(left, FloatVector.fromArray(F, b, bo + i), p, q).intoArray(y, yo + i);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            var right = FloatVector.fromArray(F, b, bo + i, rest);
            FN.apply(left, right, p, q).intoArray(y, yo + i, rest);
        }
    }
}
