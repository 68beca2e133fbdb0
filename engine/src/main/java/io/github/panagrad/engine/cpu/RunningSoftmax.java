package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static io.github.panagrad.engine.cpu.QueryTile.QUERIES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// The softmax of the queries of a tile, tile of keys after tile of keys.
///
/// Keeps for each query the largest score and the sum of exponentials seen so far (Milakov and
/// Gimelshein, "Online normalizer calculation for softmax", 2018).
///
/// The passes over a tile are methods of few vector operations each, on purpose: in a method into
/// which much is inlined C2 gives up on some of them and allocates a vector for every step.
final class RunningSoftmax {
    private final float[] max = new float[QUERIES];
    private final float[] sum = new float[QUERIES];

    /// Forgets all keys.
    void reset() {
        Arrays.fill(max, Float.NEGATIVE_INFINITY);
        Arrays.fill(sum, 0);
    }

    /// Turns scores [rows, QUERIES] into exponentials relative to the largest score so far.
    ///
    /// Row number `rows` receives what earlier results have to be multiplied by.
    ///
    /// @param scores with room for one more row
    /// @param rows a multiple of 2
    /// @return whether a factor of the last row differs from 1
    boolean absorb(float[] scores, int rows, int lanes) {
        boolean grown = false;
        for (int i = 0; i < lanes; i += V) {
            grown |= raise(scores, rows, i);
            exponentials(scores, rows + 1, i);
            add(scores, rows, i);
        }
        return grown;
    }

    /// Brings the maxima of one vector of queries up to date, and keeps the old ones in the last
    /// row.
    private boolean raise(float[] scores, int rows, int i) {
        FloatVector old = FloatVector.fromArray(F, max, i);
        FloatVector even = old;
        FloatVector odd = old;
        int last = i + rows * QUERIES;
        for (int at = i; at < last; at += 2 * QUERIES) {
            even = Lanes.larger(even, FloatVector.fromArray(F, scores, at));
            odd = Lanes.larger(odd, FloatVector.fromArray(F, scores, at + QUERIES));
        }
        old.intoArray(scores, last);
        FloatVector top = Lanes.larger(odd, Lanes.larger(even, old));
        top.intoArray(max, i);
        return old.compare(VectorOperators.NE, top).anyTrue();
    }

    /// Takes the exponentials of one vector of queries.
    private void exponentials(float[] scores, int rows, int i) {
        FloatVector top = FloatVector.fromArray(F, max, i);
        // A query that has seen nothing yet has −∞ as its maximum, but −∞ − −∞ is no number.
        FloatVector base = top.blend(0, top.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
        for (int at = i; at < i + rows * QUERIES; at += QUERIES) {
            VectorMath.expNonPositive(FloatVector.fromArray(F, scores, at).sub(base))
                    .intoArray(scores, at);
        }
    }

    /// Adds up the exponentials of one vector of queries.
    private void add(float[] scores, int rows, int i) {
        int last = i + rows * QUERIES;
        FloatVector even =
                FloatVector.fromArray(F, sum, i).mul(FloatVector.fromArray(F, scores, last));
        FloatVector odd = FloatVector.zero(F);
        for (int at = i; at < last; at += 2 * QUERIES) {
            even = FloatVector.fromArray(F, scores, at).add(even);
            odd = FloatVector.fromArray(F, scores, at + QUERIES).add(odd);
        }
        FloatVector.zero(F).add(even).add(odd).intoArray(sum, i);
    }

    /// Returns the reciprocal of the sum of query i; 0 if it has seen no key.
    float inverseSum(int i) {
        return sum[i] == 0 ? 0 : 1 / sum[i];
    }

    /// Returns the logarithm of the sum of exponentials of query i; −∞ if it has seen no key.
    float logSumExp(int i) {
        return sum[i] == 0 ? Float.NEGATIVE_INFINITY : (float) (max[i] + Math.log(sum[i]));
    }
}
