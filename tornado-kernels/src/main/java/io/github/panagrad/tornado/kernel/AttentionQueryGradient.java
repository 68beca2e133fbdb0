package io.github.panagrad.tornado.kernel;

import static io.github.panagrad.tornado.kernel.AttentionKernels.DEPTH;
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

/// The gradient of attention's queries: a group has a tile of queries of a head and some columns of
/// the result, walks the keys, and computes the weights again from the saved log-sum-exp.
///
/// With P the weights and Δ the rows' products of output and gradient: dS = P∘(dout·vᵀ − Δ), dq =
/// scale·dS·k.
final class AttentionQueryGradient {
    private final Program products;
    private final Program tiles;

    AttentionQueryGradient(Programs programs) {
        products = programs.add("attentionProducts", LOCAL, AttentionQueryGradient::kProducts);
        tiles = programs.add("attentionQueryGradient", LOCAL, AttentionQueryGradient::kQueries);
    }

    /// Computes Δ, the product of each row of the output with its gradient.
    void products(int rows, int[] numbers) {
        products.launchGroups((rows + SIDE - 1) / SIDE, numbers);
    }

    /// Launches a group for each of so many tiles of dq.
    void run(int groups, int[] numbers, float scale) {
        tiles.launchGroups(groups, numbers, scale);
    }

    // p: see AttentionKernels; B·T·H (33)

    private static void kProducts(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        float[] shared = c.allocateFloatLocalArray(LOCAL);
        int t = c.localIdx;
        int lane = t % SIDE;
        int row = c.groupIdx * SIDE + t / SIDE;
        int queries = p.get(0);
        int heads = p.get(2);
        int dim = p.get(4);
        boolean inside = row < p.get(33);
        float sum = 0f;
        if (inside) {
            for (int d = lane; d < dim; d += SIDE) {
                sum += f.get(p.get(24) + row * dim + d) * f.get(p.get(26) + row * dim + d);
            }
        }
        shared[t] = sum;
        c.localBarrier();
        if (inside && lane == 0) {
            sum = 0f;
            for (int i = 0; i < SIDE; i++) {
                sum += shared[t + i];
            }
            int head = row % heads;
            int query = row / heads % queries;
            int batch = row / heads / queries;
            f.set(p.get(27) + (batch * heads + head) * queries + query, sum);
        }
    }

    // p: see AttentionKernels; r: scale

    private static void kQueries(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        float[] left = c.allocateFloatLocalArray(DEPTH * PITCH);
        float[] right = c.allocateFloatLocalArray(DEPTH * PITCH);
        float[] leftOut = c.allocateFloatLocalArray(DEPTH * PITCH);
        float[] rightOut = c.allocateFloatLocalArray(DEPTH * PITCH);
        float[] tile = c.allocateFloatLocalArray(TILE * PITCH);
        float[] logSums = c.allocateFloatLocalArray(TILE);
        float[] products = c.allocateFloatLocalArray(TILE);
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
            float logSum = 0f;
            float product = 0f;
            if (query + t < queries) {
                int at = (batch * heads + head) * queries + query + t;
                logSum = f.get(p.get(25) + at);
                product = f.get(p.get(27) + at);
            }
            logSums[t] = logSum;
            products[t] = product;
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
        int out = p.get(26) + ((batch * queries + query) * heads + head) * dim;
        int row = t / SHARERS;
        int part = t % SHARERS;
        int mine = y * PITCH + x;
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
            float d00 = 0f;
            float d01 = 0f;
            float d02 = 0f;
            float d03 = 0f;
            float d10 = 0f;
            float d11 = 0f;
            float d12 = 0f;
            float d13 = 0f;
            float d20 = 0f;
            float d21 = 0f;
            float d22 = 0f;
            float d23 = 0f;
            float d30 = 0f;
            float d31 = 0f;
            float d32 = 0f;
            float d33 = 0f;
            for (int from = 0; from < depth; from += DEPTH) {
                for (int i = 0; i < LOADS; i++) {
                    int e = t + i * LOCAL;
                    int line = e / DEPTH;
                    int term = e % DEPTH;
                    float value = 0f;
                    float other = 0f;
                    float third = 0f;
                    float fourth = 0f;
                    if (from + term < dim) {
                        if (query + line < queries) {
                            value = f.get(q + line * p.get(11) + (from + term) * p.get(13));
                            third = f.get(out + line * heads * dim + from + term);
                        }
                        if (key + line < keys) {
                            other = f.get(k + (key + line) * p.get(16) + (from + term) * p.get(18));
                            fourth =
                                    f.get(v + (key + line) * p.get(21) + (from + term) * p.get(23));
                        }
                    }
                    left[term * PITCH + line] = value;
                    right[term * PITCH + line] = other;
                    leftOut[term * PITCH + line] = third;
                    rightOut[term * PITCH + line] = fourth;
                }
                c.localBarrier();
                for (int term = 0; term < DEPTH; term++) {
                    int atRow = term * PITCH + y;
                    int atColumn = term * PITCH + x;
                    float a0 = left[atRow];
                    float a1 = left[atRow + SIDE];
                    float a2 = left[atRow + 2 * SIDE];
                    float a3 = left[atRow + 3 * SIDE];
                    float b0 = right[atColumn];
                    float b1 = right[atColumn + SIDE];
                    float b2 = right[atColumn + 2 * SIDE];
                    float b3 = right[atColumn + 3 * SIDE];
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
                    float oa0 = leftOut[atRow];
                    float oa1 = leftOut[atRow + SIDE];
                    float oa2 = leftOut[atRow + 2 * SIDE];
                    float oa3 = leftOut[atRow + 3 * SIDE];
                    float ob0 = rightOut[atColumn];
                    float ob1 = rightOut[atColumn + SIDE];
                    float ob2 = rightOut[atColumn + 2 * SIDE];
                    float ob3 = rightOut[atColumn + 3 * SIDE];
                    d00 += oa0 * ob0;
                    d01 += oa0 * ob1;
                    d02 += oa0 * ob2;
                    d03 += oa0 * ob3;
                    d10 += oa1 * ob0;
                    d11 += oa1 * ob1;
                    d12 += oa1 * ob2;
                    d13 += oa1 * ob3;
                    d20 += oa2 * ob0;
                    d21 += oa2 * ob1;
                    d22 += oa2 * ob2;
                    d23 += oa2 * ob3;
                    d30 += oa3 * ob0;
                    d31 += oa3 * ob1;
                    d32 += oa3 * ob2;
                    d33 += oa3 * ob3;
                }
                c.localBarrier();
            }
            tile[mine] = s00;
            tile[mine + SIDE] = s01;
            tile[mine + 2 * SIDE] = s02;
            tile[mine + 3 * SIDE] = s03;
            tile[mine + SIDE * PITCH] = s10;
            tile[mine + SIDE * PITCH + SIDE] = s11;
            tile[mine + SIDE * PITCH + 2 * SIDE] = s12;
            tile[mine + SIDE * PITCH + 3 * SIDE] = s13;
            tile[mine + 2 * SIDE * PITCH] = s20;
            tile[mine + 2 * SIDE * PITCH + SIDE] = s21;
            tile[mine + 2 * SIDE * PITCH + 2 * SIDE] = s22;
            tile[mine + 2 * SIDE * PITCH + 3 * SIDE] = s23;
            tile[mine + 3 * SIDE * PITCH] = s30;
            tile[mine + 3 * SIDE * PITCH + SIDE] = s31;
            tile[mine + 3 * SIDE * PITCH + 2 * SIDE] = s32;
            tile[mine + 3 * SIDE * PITCH + 3 * SIDE] = s33;
            c.localBarrier();
            for (int i = part; i < TILE; i += SHARERS) {
                int ahead = key + i - position - row;
                boolean hidden = open[i] == 0;
                hidden |= causal == 1 && ahead > 0;
                hidden |= window > 0 && ahead <= -window;
                hidden |= segments >= 0 && keyTags[i] != queryTags[row];
                float weight = TornadoMath.exp(tile[row * PITCH + i] * r.get(0) - logSums[row]);
                if (hidden) {
                    weight = 0f;
                }
                tile[row * PITCH + i] = weight;
            }
            c.localBarrier();
            float product0 = products[y];
            float product1 = products[y + SIDE];
            float product2 = products[y + 2 * SIDE];
            float product3 = products[y + 3 * SIDE];
            tile[mine] = tile[mine] * (d00 - product0) * r.get(0);
            tile[mine + SIDE] = tile[mine + SIDE] * (d01 - product0) * r.get(0);
            tile[mine + 2 * SIDE] = tile[mine + 2 * SIDE] * (d02 - product0) * r.get(0);
            tile[mine + 3 * SIDE] = tile[mine + 3 * SIDE] * (d03 - product0) * r.get(0);
            tile[mine + SIDE * PITCH] = tile[mine + SIDE * PITCH] * (d10 - product1) * r.get(0);
            tile[mine + SIDE * PITCH + SIDE] =
                    tile[mine + SIDE * PITCH + SIDE] * (d11 - product1) * r.get(0);
            tile[mine + SIDE * PITCH + 2 * SIDE] =
                    tile[mine + SIDE * PITCH + 2 * SIDE] * (d12 - product1) * r.get(0);
            tile[mine + SIDE * PITCH + 3 * SIDE] =
                    tile[mine + SIDE * PITCH + 3 * SIDE] * (d13 - product1) * r.get(0);
            tile[mine + 2 * SIDE * PITCH] =
                    tile[mine + 2 * SIDE * PITCH] * (d20 - product2) * r.get(0);
            tile[mine + 2 * SIDE * PITCH + SIDE] =
                    tile[mine + 2 * SIDE * PITCH + SIDE] * (d21 - product2) * r.get(0);
            tile[mine + 2 * SIDE * PITCH + 2 * SIDE] =
                    tile[mine + 2 * SIDE * PITCH + 2 * SIDE] * (d22 - product2) * r.get(0);
            tile[mine + 2 * SIDE * PITCH + 3 * SIDE] =
                    tile[mine + 2 * SIDE * PITCH + 3 * SIDE] * (d23 - product2) * r.get(0);
            tile[mine + 3 * SIDE * PITCH] =
                    tile[mine + 3 * SIDE * PITCH] * (d30 - product3) * r.get(0);
            tile[mine + 3 * SIDE * PITCH + SIDE] =
                    tile[mine + 3 * SIDE * PITCH + SIDE] * (d31 - product3) * r.get(0);
            tile[mine + 3 * SIDE * PITCH + 2 * SIDE] =
                    tile[mine + 3 * SIDE * PITCH + 2 * SIDE] * (d32 - product3) * r.get(0);
            tile[mine + 3 * SIDE * PITCH + 3 * SIDE] =
                    tile[mine + 3 * SIDE * PITCH + 3 * SIDE] * (d33 - product3) * r.get(0);
            c.localBarrier();
            for (int from = 0; from < terms; from += DEPTH) {
                for (int i = 0; i < LOADS; i++) {
                    int e = t + i * LOCAL;
                    int line = e / TILE;
                    int place = e % TILE;
                    float value = 0f;
                    if (key + from + line < keys && column + place < dim) {
                        value =
                                f.get(
                                        k
                                                + (key + from + line) * p.get(16)
                                                + (column + place) * p.get(18));
                    }
                    right[line * PITCH + place] = value;
                }
                c.localBarrier();
                for (int term = 0; term < DEPTH; term++) {
                    int at = y * PITCH + from + term;
                    float a0 = tile[at];
                    float a1 = tile[at + SIDE * PITCH];
                    float a2 = tile[at + 2 * SIDE * PITCH];
                    float a3 = tile[at + 3 * SIDE * PITCH];
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
        int to = p.get(28);
        tile[mine] = c00;
        tile[mine + SIDE] = c01;
        tile[mine + 2 * SIDE] = c02;
        tile[mine + 3 * SIDE] = c03;
        tile[mine + SIDE * PITCH] = c10;
        tile[mine + SIDE * PITCH + SIDE] = c11;
        tile[mine + SIDE * PITCH + 2 * SIDE] = c12;
        tile[mine + SIDE * PITCH + 3 * SIDE] = c13;
        tile[mine + 2 * SIDE * PITCH] = c20;
        tile[mine + 2 * SIDE * PITCH + SIDE] = c21;
        tile[mine + 2 * SIDE * PITCH + 2 * SIDE] = c22;
        tile[mine + 2 * SIDE * PITCH + 3 * SIDE] = c23;
        tile[mine + 3 * SIDE * PITCH] = c30;
        tile[mine + 3 * SIDE * PITCH + SIDE] = c31;
        tile[mine + 3 * SIDE * PITCH + 2 * SIDE] = c32;
        tile[mine + 3 * SIDE * PITCH + 3 * SIDE] = c33;
        c.localBarrier();
        for (int i = t; i < TILE * TILE; i += LOCAL) {
            int line = i / TILE;
            int place = i % TILE;
            if (to >= 0 && query + line < queries && column + place < dim) {
                int at = ((batch * queries + query + line) * heads + head) * dim + column + place;
                f.set(to + at, tile[line * PITCH + place]);
            }
        }
    }
}
