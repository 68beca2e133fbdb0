package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;

/// The body of every [BinaryLoop]: whole vectors, then the rest in padded copies ([Tails]).
final class BinaryTemplate implements BinaryLoop {
    private static final LaneLoops.Binary FN =
            LaneLoops.function(MethodHandles.lookup(), LaneLoops.Binary.class);

    @Override
    public void run(
            float[] a, int ao, float[] b, int bo, float[] y, int yo, int n, float p, float q) {
        int whole = F.loopBound(n);
        float[] left = a;
        float[] right = b;
        float[] to = y;
        int l = ao;
        int r = bo;
        int t = yo;
        int end = whole;
        for (boolean last = whole == n; ; last = true) {
            for (int i = 0; i < end; i += V) {
                FloatVector u = FloatVector.fromArray(F, left, l + i);
                FloatVector v = FloatVector.fromArray(F, right, r + i);
                FN.apply(u, v, p, q).intoArray(to, t + i);
            }
            if (last) {
                break;
            }
            left = Tails.padded(a, ao + whole, n - whole);
            right = Tails.padded(b, bo + whole, n - whole);
            to = left;
            l = 0;
            r = 0;
            t = 0;
            end = V;
        }
        if (whole < n) {
            System.arraycopy(to, 0, y, yo + whole, n - whole);
        }
    }

    @Override
    public void runRight(float[] a, int ao, float b, float[] y, int yo, int n, float p, float q) {
        FloatVector v = Lanes.all(b);
        int whole = F.loopBound(n);
        float[] left = a;
        float[] to = y;
        int l = ao;
        int t = yo;
        int end = whole;
        for (boolean last = whole == n; ; last = true) {
            for (int i = 0; i < end; i += V) {
                FN.apply(FloatVector.fromArray(F, left, l + i), v, p, q).intoArray(to, t + i);
            }
            if (last) {
                break;
            }
            left = Tails.padded(a, ao + whole, n - whole);
            to = left;
            l = 0;
            t = 0;
            end = V;
        }
        if (whole < n) {
            System.arraycopy(to, 0, y, yo + whole, n - whole);
        }
    }

    @Override
    public void runLeft(float a, float[] b, int bo, float[] y, int yo, int n, float p, float q) {
        FloatVector u = Lanes.all(a);
        int whole = F.loopBound(n);
        float[] right = b;
        float[] to = y;
        int r = bo;
        int t = yo;
        int end = whole;
        for (boolean last = whole == n; ; last = true) {
            for (int i = 0; i < end; i += V) {
                FN.apply(u, FloatVector.fromArray(F, right, r + i), p, q).intoArray(to, t + i);
            }
            if (last) {
                break;
            }
            right = Tails.padded(b, bo + whole, n - whole);
            to = right;
            r = 0;
            t = 0;
            end = V;
        }
        if (whole < n) {
            System.arraycopy(to, 0, y, yo + whole, n - whole);
        }
    }
}
