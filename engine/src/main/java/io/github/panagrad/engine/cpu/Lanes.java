package io.github.panagrad.engine.cpu;

import static jdk.incubator.vector.VectorOperators.LE;
import static jdk.incubator.vector.VectorOperators.MAX;
import static jdk.incubator.vector.VectorOperators.MIN;

import io.github.panagrad.engine.ground.PanagradException;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// The vector width of all kernels, and the shuffles and sums that several of them need.
///
/// Never sum lanes with `reduceLanes(ADD)`: its order is unspecified, and compiled code adds in
/// another order than interpreted code, so that results would depend on when the JIT is done.
///
/// What a loop carries from round to round is handed to methods as an argument, `x.add(sum)`, not
/// `sum.add(x)`: C2 knows the class of a fresh vector, but not of a carried one, calls its abstract
/// methods virtually unless a profile says more, and boxes the vectors (ADR 035).
final class Lanes {
    /// The float vectors of all kernels: the widest the machine likes, at most 512 bits; the system
    /// property `panagrad.vectorBits` sets another width (128, 256, 512).
    static final VectorSpecies<Float> F = species();

    /// Int vectors of the same width.
    static final VectorSpecies<Integer> I = F.withLanes(int.class);

    /// Double vectors of the same width, half as many lanes.
    static final VectorSpecies<Double> D = F.withLanes(double.class);

    /// Floats in a vector.
    static final int V = F.length();

    private static final VectorSpecies<Float> QUAD = FloatVector.SPECIES_128;

    static final FloatVector ZIP_LO = zipIndices(0);
    static final FloatVector ZIP_HI = zipIndices(V / 2);

    static final VectorShuffle<Float> BY_8 = rotation(8);
    static final VectorShuffle<Float> BY_4 = rotation(4);
    private static final VectorShuffle<Float> BY_2 = rotation(2);
    private static final VectorShuffle<Float> BY_1 = rotation(1);

    private Lanes() {}

    private static VectorSpecies<Float> species() {
        int preferred = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        int bits = Integer.getInteger("panagrad.vectorBits", Math.clamp(preferred, 128, 512));
        return switch (bits) {
            case 128 -> FloatVector.SPECIES_128;
            case 256 -> FloatVector.SPECIES_256;
            case 512 -> FloatVector.SPECIES_512;
            default ->
                    throw new PanagradException(
                            "property panagrad.vectorBits",
                            "no such vector width",
                            "" + bits,
                            "128, 256 or 512",
                            "");
        };
    }

    private static FloatVector zipIndices(int from) {
        float[] index = new float[V];
        for (int i = 0; i < V; i++) {
            index[i] = from + i / 2 + (i % 2) * V;
        }
        return FloatVector.fromArray(F, index, 0);
    }

    /// Interleaves the lower halves: a0 b0 a1 b1 …
    static FloatVector zipLo(FloatVector a, FloatVector b) {
        return ZIP_LO.selectFrom(a, b);
    }

    /// Interleaves the upper halves.
    static FloatVector zipHi(FloatVector a, FloatVector b) {
        return ZIP_HI.selectFrom(a, b);
    }

    private static VectorShuffle<Float> rotation(int by) {
        return VectorShuffle.fromOp(F, lane -> (lane + by) % V);
    }

    /// Returns a vector with the same value in every lane.
    static FloatVector all(float value) {
        return FloatVector.broadcast(F, value);
    }

    /// Returns the mask of the lanes below `n`.
    static VectorMask<Float> first(int n) {
        return F.indexInRange(0, n);
    }

    /// Returns the larger one lane by lane; [FloatVector#max] takes several instructions for the sake
    /// of NaN and −0. Where one is NaN, the result is one of the two.
    ///
    /// @param so the largest so far, carried by a loop
    /// @param v made in this round
    static FloatVector larger(FloatVector so, FloatVector v) {
        return v.blend(so, v.compare(LE, so));
    }

    /// Adds the lanes, as a tree whose shape depends on the vector width only.
    static float sum(FloatVector v) {
        FloatVector t = FloatVector.zero(F).add(v);
        if (V >= 16) {
            t = t.add(t.rearrange(BY_8));
        }
        if (V >= 8) {
            t = t.add(t.rearrange(BY_4));
        }
        t = t.add(t.rearrange(BY_2));
        return t.add(t.rearrange(BY_1)).lane(0);
    }

    /// Adds the lanes of both vectors.
    static float sum(FloatVector a, FloatVector b) {
        return sum(FloatVector.zero(F).add(a).add(b));
    }

    /// Adds the lanes of all four vectors.
    static float sum(FloatVector a, FloatVector b, FloatVector c, FloatVector d) {
        FloatVector zero = FloatVector.zero(F);
        return sum(zero.add(a).add(b).add(zero.add(c).add(d)));
    }

    /// Adds the lanes of four vectors at once: the sums of a, b, c and d in this order.
    ///
    /// Every zip-and-add halves the lanes that are left to add, for both vectors at the price of
    /// one. No method of ours is called here: C2 compiles a kernel as soon as its loop is hot, and
    /// then leaves out what is called two calls deep but once a row, and boxes its vectors (ADR 034).
    static FloatVector sums(FloatVector a, FloatVector b, FloatVector c, FloatVector d) {
        FloatVector t = ZIP_LO.selectFrom(a, c).add(ZIP_HI.selectFrom(a, c));
        FloatVector u = ZIP_LO.selectFrom(b, d).add(ZIP_HI.selectFrom(b, d));
        t = ZIP_LO.selectFrom(t, u).add(ZIP_HI.selectFrom(t, u));
        if (V >= 16) {
            t = t.add(t.rearrange(BY_8));
        }
        if (V >= 8) {
            t = t.add(t.rearrange(BY_4));
        }
        return (FloatVector) t.reinterpretShape(QUAD, 0);
    }

    /// Adds the lanes of two vectors at once: the sum of a is in lane 0 of the result, that of b in
    /// lane 1.
    static FloatVector sums(FloatVector a, FloatVector b) {
        FloatVector t = ZIP_LO.selectFrom(a, b).add(ZIP_HI.selectFrom(a, b));
        if (V >= 16) {
            t = t.add(t.rearrange(BY_8));
        }
        if (V >= 8) {
            t = t.add(t.rearrange(BY_4));
        }
        return t.add(t.rearrange(BY_2));
    }

    /// Adds the lanes of all four vectors.
    static double sum(DoubleVector a, DoubleVector b, DoubleVector c, DoubleVector d) {
        DoubleVector zero = DoubleVector.zero(D);
        DoubleVector v = zero.add(a).add(b).add(zero.add(c).add(d));
        double total = 0;
        for (int lane = 0; lane < V / 2; lane++) {
            total += v.lane(lane);
        }
        return total;
    }

    /// Returns the largest lane; NaN if one is.
    static float max(FloatVector v) {
        return all(Float.NEGATIVE_INFINITY).max(v).reduceLanes(MAX);
    }

    /// Returns the smallest lane; NaN if one is.
    static float min(FloatVector v) {
        return all(Float.POSITIVE_INFINITY).min(v).reduceLanes(MIN);
    }
}
