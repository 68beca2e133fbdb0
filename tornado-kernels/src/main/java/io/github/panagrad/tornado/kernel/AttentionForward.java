package io.github.panagrad.tornado.kernel;

import static io.github.panagrad.tornado.kernel.AttentionKernels.DEPTH;
import static io.github.panagrad.tornado.kernel.AttentionKernels.HIDDEN;
import static io.github.panagrad.tornado.kernel.AttentionKernels.LOADS;
import static io.github.panagrad.tornado.kernel.AttentionKernels.LOCAL;
import static io.github.panagrad.tornado.kernel.AttentionKernels.PITCH;
import static io.github.panagrad.tornado.kernel.AttentionKernels.SHARERS;
import static io.github.panagrad.tornado.kernel.AttentionKernels.SIDE;
import static io.github.panagrad.tornado.kernel.AttentionKernels.TILE;

import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Attention without its scores ever in memory: a group has a tile of queries of a head and some
/// columns of the values, and walks the keys with a running softmax (Dao et al., "FlashAttention",
/// 2022).
///
/// Heads wider than a tile take several groups, each of which computes all scores.
final class AttentionForward {
    private final Program tiles;

    AttentionForward(Programs programs) {
        tiles = programs.add("attentionForward", LOCAL, AttentionForward::kForward);
    }

    /// Launches a group for each of so many tiles of results.
    void run(int groups, int[] numbers, float scale) {
        tiles.launchGroups(groups, numbers, scale);
    }

    // p: see AttentionKernels; r: scale

    private static void kForward(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        float[] left = c.allocateFloatLocalArray(DEPTH * PITCH);
        float[] right = c.allocateFloatLocalArray(DEPTH * PITCH);
        float[] weights = c.allocateFloatLocalArray(TILE * PITCH);
        float[] shared = c.allocateFloatLocalArray(LOCAL);
        float[] factors = c.allocateFloatLocalArray(TILE);
        int[] queryTags = c.allocateIntLocalArray(TILE);
        int[] keyTags = c.allocateIntLocalArray(TILE);
        int[] open = c.allocateIntLocalArray(TILE);
        int t = c.localIdx;
        int x = t % SIDE;
        int y = t / SIDE;
        int queries = p.get(0);
        int keys = p.get(1);
        int heads = p.get(2);
        int dim = p.get(4);
        int causal = p.get(5);
        int window = p.get(6);
        int chunks = p.get(31);
        int tileCount = p.get(32);
        int rest = c.groupIdx;
        int column = rest % chunks * TILE;
        rest = rest / chunks;
        int head = rest % heads;
        rest = rest / heads;
        // The last queries see the most keys of a causal mask: they start first.
        int query = (tileCount - 1 - rest % tileCount) * TILE;
        int batch = rest / tileCount;
        int keyHead = head / (heads / p.get(3));
        int q = p.get(9) + batch * p.get(10) + query * p.get(11) + head * p.get(12);
        int k = p.get(14) + batch * p.get(15) + keyHead * p.get(17);
        int v = p.get(19) + batch * p.get(20) + keyHead * p.get(22);
        int segments = p.get(8);
        int keyMask = p.get(7);
        int position = query + keys - queries;
        int least = 0;
        int most = 0;
        if (t < TILE) {
            int tag = 0;
            if (segments >= 0) {
                int at = position;
                if (query + t < queries) {
                    at = position + t;
                }
                tag = n.get(segments + batch * keys + at);
            }
            queryTags[t] = tag;
        }
        c.localBarrier();
        if (segments >= 0) {
            least = queryTags[0];
            most = least;
            for (int i = 1; i < TILE; i++) {
                least = TornadoMath.min(least, queryTags[i]);
                most = TornadoMath.max(most, queryTags[i]);
            }
        }
        int first = 0;
        int end = keys;
        if (window > 0) {
            first = TornadoMath.max(0, position - window + 1);
        }
        if (causal == 1) {
            end = TornadoMath.min(end, position + TILE);
        }
        int row = t / SHARERS;
        int part = t % SHARERS;
        int mine = y * PITCH + x;
        float highest = HIDDEN;
        float sum = 0f;
        float c00 = 0f;
        float c01 = 0f;
        float c02 = 0f;
        float c03 = 0f;
        float c10 = 0f;
        float c11 = 0f;
        float c12 = 0f;
        float c13 = 0f;
        float c20 = 0f;
        float c21 = 0f;
        float c22 = 0f;
        float c23 = 0f;
        float c30 = 0f;
        float c31 = 0f;
        float c32 = 0f;
        float c33 = 0f;
        for (int key = first; key < end; key += TILE) {
            if (t < TILE) {
                int seen = 0;
                int tag = 0;
                int at = key;
                if (key + t < keys) {
                    at = key + t;
                    seen = 1;
                    if (keyMask >= 0) {
                        seen = n.get(keyMask + batch * keys + at);
                    }
                }
                if (segments >= 0) {
                    tag = n.get(segments + batch * keys + at);
                }
                open[t] = seen;
                keyTags[t] = tag;
            }
            c.localBarrier();
            int depth = dim;
            int terms = TILE;
            if (segments >= 0) {
                int low = keyTags[0];
                int high = low;
                for (int i = 1; i < TILE; i++) {
                    low = TornadoMath.min(low, keyTags[i]);
                    high = TornadoMath.max(high, keyTags[i]);
                }
                if (low > most || high < least) {
                    depth = 0;
                    terms = 0;
                }
            }
            float s00 = 0f;
            float s01 = 0f;
            float s02 = 0f;
            float s03 = 0f;
            float s10 = 0f;
            float s11 = 0f;
            float s12 = 0f;
            float s13 = 0f;
            float s20 = 0f;
            float s21 = 0f;
            float s22 = 0f;
            float s23 = 0f;
            float s30 = 0f;
            float s31 = 0f;
            float s32 = 0f;
            float s33 = 0f;
            for (int from = 0; from < depth; from += DEPTH) {
                for (int i = 0; i < LOADS; i++) {
                    int e = t + i * LOCAL;
                    int line = e / DEPTH;
                    int term = e % DEPTH;
                    float value = 0f;
                    float other = 0f;
                    if (from + term < dim) {
                        if (query + line < queries) {
                            value = f.get(q + line * p.get(11) + (from + term) * p.get(13));
                        }
                        if (key + line < keys) {
                            other = f.get(k + (key + line) * p.get(16) + (from + term) * p.get(18));
                        }
                    }
                    left[term * PITCH + line] = value;
                    right[term * PITCH + line] = other;
                }
                c.localBarrier();
                for (int term = 0; term < DEPTH; term++) {
                    int at = term * PITCH + y;
                    float a0 = left[at];
                    float a1 = left[at + SIDE];
                    float a2 = left[at + 2 * SIDE];
                    float a3 = left[at + 3 * SIDE];
                    at = term * PITCH + x;
                    float b0 = right[at];
                    float b1 = right[at + SIDE];
                    float b2 = right[at + 2 * SIDE];
                    float b3 = right[at + 3 * SIDE];
                    s00 += a0 * b0;
                    s01 += a0 * b1;
                    s02 += a0 * b2;
                    s03 += a0 * b3;
                    s10 += a1 * b0;
                    s11 += a1 * b1;
                    s12 += a1 * b2;
                    s13 += a1 * b3;
                    s20 += a2 * b0;
                    s21 += a2 * b1;
                    s22 += a2 * b2;
                    s23 += a2 * b3;
                    s30 += a3 * b0;
                    s31 += a3 * b1;
                    s32 += a3 * b2;
                    s33 += a3 * b3;
                }
                c.localBarrier();
            }
            weights[mine] = s00;
            weights[mine + SIDE] = s01;
            weights[mine + 2 * SIDE] = s02;
            weights[mine + 3 * SIDE] = s03;
            weights[mine + SIDE * PITCH] = s10;
            weights[mine + SIDE * PITCH + SIDE] = s11;
            weights[mine + SIDE * PITCH + 2 * SIDE] = s12;
            weights[mine + SIDE * PITCH + 3 * SIDE] = s13;
            weights[mine + 2 * SIDE * PITCH] = s20;
            weights[mine + 2 * SIDE * PITCH + SIDE] = s21;
            weights[mine + 2 * SIDE * PITCH + 2 * SIDE] = s22;
            weights[mine + 2 * SIDE * PITCH + 3 * SIDE] = s23;
            weights[mine + 3 * SIDE * PITCH] = s30;
            weights[mine + 3 * SIDE * PITCH + SIDE] = s31;
            weights[mine + 3 * SIDE * PITCH + 2 * SIDE] = s32;
            weights[mine + 3 * SIDE * PITCH + 3 * SIDE] = s33;
            c.localBarrier();
            float top = HIDDEN;
            for (int i = part; i < TILE; i += SHARERS) {
                float score = weights[row * PITCH + i] * r.get(0);
                int ahead = key + i - position - row;
                boolean hidden = open[i] == 0;
                hidden |= causal == 1 && ahead > 0;
                hidden |= window > 0 && ahead <= -window;
                hidden |= segments >= 0 && keyTags[i] != queryTags[row];
                if (hidden) {
                    score = HIDDEN;
                }
                weights[row * PITCH + i] = score;
                top = TornadoMath.max(top, score);
            }
            shared[t] = top;
            c.localBarrier();
            float before = highest;
            for (int i = 0; i < SHARERS; i++) {
                highest = TornadoMath.max(highest, shared[row * SHARERS + i]);
            }
            float factor = TornadoMath.exp(before - highest);
            sum = sum * factor;
            for (int i = part; i < TILE; i += SHARERS) {
                float score = weights[row * PITCH + i];
                float weight = TornadoMath.exp(score - highest);
                if (score == HIDDEN) {
                    weight = 0f;
                }
                sum += weight;
                weights[row * PITCH + i] = weight;
            }
            factors[row] = factor;
            c.localBarrier();
            float factor0 = factors[y];
            float factor1 = factors[y + SIDE];
            float factor2 = factors[y + 2 * SIDE];
            float factor3 = factors[y + 3 * SIDE];
            c00 = c00 * factor0;
            c01 = c01 * factor0;
            c02 = c02 * factor0;
            c03 = c03 * factor0;
            c10 = c10 * factor1;
            c11 = c11 * factor1;
            c12 = c12 * factor1;
            c13 = c13 * factor1;
            c20 = c20 * factor2;
            c21 = c21 * factor2;
            c22 = c22 * factor2;
            c23 = c23 * factor2;
            c30 = c30 * factor3;
            c31 = c31 * factor3;
            c32 = c32 * factor3;
            c33 = c33 * factor3;
            for (int from = 0; from < terms; from += DEPTH) {
                for (int i = 0; i < LOADS; i++) {
                    int e = t + i * LOCAL;
                    int line = e / TILE;
                    int place = e % TILE;
                    float value = 0f;
                    if (key + from + line < keys && column + place < dim) {
                        value =
                                f.get(
                                        v
                                                + (key + from + line) * p.get(21)
                                                + (column + place) * p.get(23));
                    }
                    right[line * PITCH + place] = value;
                }
                c.localBarrier();
                for (int term = 0; term < DEPTH; term++) {
                    int at = y * PITCH + from + term;
                    float a0 = weights[at];
                    float a1 = weights[at + SIDE * PITCH];
                    float a2 = weights[at + 2 * SIDE * PITCH];
                    float a3 = weights[at + 3 * SIDE * PITCH];
                    at = term * PITCH + x;
                    float b0 = right[at];
                    float b1 = right[at + SIDE];
                    float b2 = right[at + 2 * SIDE];
                    float b3 = right[at + 3 * SIDE];
                    c00 += a0 * b0;
                    c01 += a0 * b1;
                    c02 += a0 * b2;
                    c03 += a0 * b3;
                    c10 += a1 * b0;
                    c11 += a1 * b1;
                    c12 += a1 * b2;
                    c13 += a1 * b3;
                    c20 += a2 * b0;
                    c21 += a2 * b1;
                    c22 += a2 * b2;
                    c23 += a2 * b3;
                    c30 += a3 * b0;
                    c31 += a3 * b1;
                    c32 += a3 * b2;
                    c33 += a3 * b3;
                }
                c.localBarrier();
            }
        }
        c.localBarrier();
        shared[t] = sum;
        c.localBarrier();
        sum = 0f;
        for (int i = 0; i < SHARERS; i++) {
            sum += shared[row * SHARERS + i];
        }
        float inverse = 0f;
        float logSum = HIDDEN;
        if (sum != 0f) {
            inverse = 1f / sum;
            logSum = highest + TornadoMath.log(sum);
        }
        factors[row] = inverse;
        if (part == 0 && column == 0 && query + row < queries) {
            f.set(p.get(25) + (batch * heads + head) * queries + query + row, logSum);
        }
        weights[mine] = c00;
        weights[mine + SIDE] = c01;
        weights[mine + 2 * SIDE] = c02;
        weights[mine + 3 * SIDE] = c03;
        weights[mine + SIDE * PITCH] = c10;
        weights[mine + SIDE * PITCH + SIDE] = c11;
        weights[mine + SIDE * PITCH + 2 * SIDE] = c12;
        weights[mine + SIDE * PITCH + 3 * SIDE] = c13;
        weights[mine + 2 * SIDE * PITCH] = c20;
        weights[mine + 2 * SIDE * PITCH + SIDE] = c21;
        weights[mine + 2 * SIDE * PITCH + 2 * SIDE] = c22;
        weights[mine + 2 * SIDE * PITCH + 3 * SIDE] = c23;
        weights[mine + 3 * SIDE * PITCH] = c30;
        weights[mine + 3 * SIDE * PITCH + SIDE] = c31;
        weights[mine + 3 * SIDE * PITCH + 2 * SIDE] = c32;
        weights[mine + 3 * SIDE * PITCH + 3 * SIDE] = c33;
        c.localBarrier();
        for (int i = t; i < TILE * TILE; i += LOCAL) {
            int line = i / TILE;
            int place = i % TILE;
            if (query + line < queries && column + place < dim) {
                int at = ((batch * queries + query + line) * heads + head) * dim + column + place;
                f.set(p.get(24) + at, weights[line * PITCH + place] * factors[line]);
            }
        }
    }
}
