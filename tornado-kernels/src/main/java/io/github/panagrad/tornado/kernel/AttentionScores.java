package io.github.panagrad.tornado.kernel;

import static io.github.panagrad.tornado.kernel.AttentionKernels.HIDDEN;

import io.github.panagrad.engine.op.Attention;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// What becomes of rows of attention's scores: weights, or the gradients of scores.
///
/// A launch is told: rows, lanes, keys of a row, place of the scores, sequence and query of the first
/// row, key of the first column, queries of a sequence in the piece and in all, heads, keys in all,
/// causal, window, place of the key mask (negative if not there), place of the log-sum-exps; then, for
/// gradients, places of dout·vᵀ and of Δ.
final class AttentionScores {
    private static final int LOCAL = RowGroups.LOCAL;

    private final Program softmax;
    private final Program gradient;

    AttentionScores(Programs programs) {
        softmax = programs.add("attentionSoftmax", LOCAL, AttentionScores::kAttentionSoftmax);
        gradient = programs.add("attentionScoresGrad", LOCAL, AttentionScores::kScoresGradient);
    }

    /// Turns products of queries and keys into weights, in place, and writes their log-sum-exps.
    void softmax(
            Attention op, View[] in, AttentionProducts.Piece piece, int scores, int logSumExp) {
        int[] numbers = numbers(op, in, piece, scores, logSumExp);
        softmax.launchGroups(RowGroups.groups(numbers[0], numbers[1]), numbers, (float) op.scale());
    }

    /// Turns products of queries and keys into weights, and dout·vᵀ into the gradient of those products,
    /// both in place.
    void gradient(
            Attention op,
            View[] in,
            AttentionProducts.Piece piece,
            int scores,
            int changes,
            int logSumExp,
            int delta) {
        int[] numbers = numbers(op, in, piece, scores, logSumExp);
        gradient.launchGroups(
                RowGroups.groups(numbers[0], numbers[1]),
                Places.join(numbers, new int[] {changes, delta}),
                (float) op.scale());
    }

    private static int[] numbers(
            Attention op, View[] in, AttentionProducts.Piece piece, int scores, int logSumExp) {
        return new int[] {
            piece.sequences() * in[0].dim(2) * piece.queries(),
            RowGroups.lanes(piece.keys()),
            piece.keys(),
            scores,
            piece.sequence(),
            piece.query(),
            piece.key(),
            piece.queries(),
            in[0].dim(1),
            in[0].dim(2),
            in[1].dim(1),
            op.causal() ? 1 : 0,
            op.window(),
            op.hasKeyMask() ? Places.at(in[3]) : -1,
            logSumExp
        };
    }

    /// Tells whether a query sees a key.
    ///
    /// @param ahead how far the key is behind the query's own position in the sequence
    private static boolean sees(IntArray n, IntArray p, int sequence, int key, int ahead) {
        boolean seen = true;
        if (p.get(13) >= 0) {
            seen = n.get(p.get(13) + sequence * p.get(10) + key) != 0;
        }
        seen &= p.get(11) == 0 || ahead <= 0;
        seen &= p.get(12) == 0 || ahead > -p.get(12);
        return seen;
    }

    // p: see above; r: scale

    private static void kAttentionSoftmax(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int lanes = p.get(1);
        int lane = c.localIdx % lanes;
        int row = RowGroups.row(c, p);
        int end = p.get(2);
        if (row >= p.get(0)) {
            end = 0;
        }
        int from = p.get(3) + row * p.get(2);
        int query = p.get(5) + row % p.get(7);
        int head = row / p.get(7) % p.get(9);
        int sequence = p.get(4) + row / p.get(7) / p.get(9);
        int position = query + p.get(10) - p.get(8);
        float top = HIDDEN;
        for (int i = lane; i < end; i += lanes) {
            int key = p.get(6) + i;
            float score = HIDDEN;
            if (sees(n, p, sequence, key, key - position)) {
                score = f.get(from + i) * r.get(0);
            }
            f.set(from + i, score);
            top = TornadoMath.max(top, score);
        }
        top = RowGroups.max(c, lanes, top);
        float sum = 0f;
        for (int i = lane; i < end; i += lanes) {
            float score = f.get(from + i);
            float weight = TornadoMath.exp(score - top);
            if (score == HIDDEN) {
                weight = 0f;
            }
            f.set(from + i, weight);
            sum += weight;
        }
        sum = RowGroups.sum(c, lanes, sum);
        float inverse = 0f;
        float logSum = HIDDEN;
        if (sum != 0f) {
            inverse = 1f / sum;
            logSum = top + TornadoMath.log(sum);
        }
        for (int i = lane; i < end; i += lanes) {
            f.set(from + i, f.get(from + i) * inverse);
        }
        if (lane == 0 && row < p.get(0)) {
            f.set(p.get(14) + (sequence * p.get(9) + head) * p.get(8) + query, logSum);
        }
    }

    // p: see above; r: scale

    private static void kScoresGradient(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int lanes = p.get(1);
        int row = RowGroups.row(c, p);
        if (row < p.get(0)) {
            int from = p.get(3) + row * p.get(2);
            int changes = p.get(15) + row * p.get(2);
            int query = p.get(5) + row % p.get(7);
            int head = row / p.get(7) % p.get(9);
            int sequence = p.get(4) + row / p.get(7) / p.get(9);
            int position = query + p.get(10) - p.get(8);
            int at = (sequence * p.get(9) + head) * p.get(8) + query;
            float logSum = f.get(p.get(14) + at);
            float delta = f.get(p.get(16) + at);
            for (int i = c.localIdx % lanes; i < p.get(2); i += lanes) {
                int key = p.get(6) + i;
                float weight = 0f;
                if (sees(n, p, sequence, key, key - position)) {
                    weight = TornadoMath.exp(f.get(from + i) * r.get(0) - logSum);
                }
                f.set(from + i, weight);
                f.set(changes + i, weight * (f.get(changes + i) - delta) * r.get(0));
            }
        }
    }
}
