package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.Parallel;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Sums of arrays that keep what rounding loses: with s = a + b, a′ = s − b and b′ = s − a′ it is
/// exactly (a − a′) + (b − b′) (Knuth, The Art of Computer Programming 2, section 4.2.2).
final class TwoSum {
    private TwoSum() {}

    /// Begins with s = x and nothing lost.
    static void first(float[] s, int so, float[] lost, int lo, float[] x, int n) {
        System.arraycopy(x, 0, s, so, n);
        Arrays.fill(lost, lo, lo + n, 0);
    }

    /// Adds x to s, and what that loses to `lost`.
    static void add(float[] s, int so, float[] lost, int lo, float[] x, int n) {
        Parallel.forRange(
                n,
                Elementwise.GRAIN,
                (from, to) -> add(s, so + from, lost, lo + from, x, from, to - from));
    }

    private static void add(float[] s, int so, float[] lost, int lo, float[] x, int xo, int n) {
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            FloatVector a = FloatVector.fromArray(F, s, so + i, rest);
            FloatVector b = FloatVector.fromArray(F, x, xo + i, rest);
            FloatVector sum = a.add(b);
            FloatVector ofA = sum.sub(b);
            FloatVector error = a.sub(ofA).add(b.sub(sum.sub(ofA)));
            sum.intoArray(s, so + i, rest);
            FloatVector.fromArray(F, lost, lo + i, rest).add(error).intoArray(lost, lo + i, rest);
        }
    }

    /// Adds in the end what was lost.
    static void finish(float[] s, int so, float[] lost, int lo, int n) {
        for (int i = 0; i < n; i++) {
            s[so + i] += lost[lo + i];
        }
    }
}
