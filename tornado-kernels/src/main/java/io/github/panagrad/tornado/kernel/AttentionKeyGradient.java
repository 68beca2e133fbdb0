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

/// The gradients of attention's keys and values: a group has a tile of keys of a head and some
/// columns of the results, and walks the queries of all heads that share the keys, in order.
///
/// With P the weights and Δ the rows' products of output and gradient: dv = Pᵀ·dout, dS = P∘(dout·vᵀ
/// − Δ), dk = scale·dSᵀ·q. Tiles of scores lie transposed, a row a key.
final class AttentionKeyGradient {
    private final Program tiles;

    AttentionKeyGradient(Programs programs) {
        tiles = programs.add("attentionKeyGradient", LOCAL, AttentionKeyGradient::kKeys);
    }

    /// Launches a group for each of so many tiles of dk and dv.
    void run(int groups, int[] numbers, float scale) {
        tiles.launchGroups(groups, numbers, scale);
    }

    // p: see AttentionKernels; r: scale

    private static void kKeys(KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
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
        int keyHeads = p.get(3);
        int dim = p.get(4);
        int causal = p.get(5);
        int window = p.get(6);
        int column = c.groupIdx % p.get(31) * TILE;
        int rest = c.groupIdx / p.get(31);
        int keyHead = rest % keyHeads;
        // The first keys are seen by the most queries of a causal mask: they start first.
        int key = rest / keyHeads % p.get(32) * TILE;
        int batch = rest / keyHeads / p.get(32);
        int k = p.get(14) + batch * p.get(15) + keyHead * p.get(17);
        int v = p.get(19) + batch * p.get(20) + keyHead * p.get(22);
        int segments = p.get(8);
        int keyMask = p.get(7);
        int before = keys - queries;
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
        int least = keyTags[0];
        int most = least;
        for (int i = 1; i < TILE; i++) {
            least = TornadoMath.min(least, keyTags[i]);
            most = TornadoMath.max(most, keyTags[i]);
        }
        int first = 0;
        int end = queries;
        if (causal == 1) {
            first = TornadoMath.max(0, key - before);
        }
        if (window > 0) {
            end = TornadoMath.min(end, key + TILE - 1 + window - before);
        }
        int lineStride = p.get(11);
        int elementStride = p.get(13);
        int row = t / SHARERS;
        int mine = y * PITCH + x;
        float g00 = 0f;
        float g01 = 0f;
        float g02 = 0f;
        float g03 = 0f;
        float g10 = 0f;
        float g11 = 0f;
        float g12 = 0f;
        float g13 = 0f;
        float g20 = 0f;
        float g21 = 0f;
        float g22 = 0f;
        float g23 = 0f;
        float g30 = 0f;
        float g31 = 0f;
        float g32 = 0f;
        float g33 = 0f;
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
        int shares = heads / keyHeads;
        int blocks = TornadoMath.max(0, (end - first + TILE - 1) / TILE);
        for (int block = 0; block < shares * blocks; block++) {
            int head = keyHead * shares + block / blocks;
            int query = first + block % blocks * TILE;
            int q = p.get(9) + batch * p.get(10) + query * lineStride + head * p.get(12);
            int out = p.get(26) + ((batch * queries + query) * heads + head) * dim;
            if (t < TILE) {
                float logSum = 0f;
                float product = 0f;
                int tag = 0;
                int at = query;
                if (query + t < queries) {
                    at = query + t;
                    int line = (batch * heads + head) * queries + at;
                    logSum = f.get(p.get(25) + line);
                    product = f.get(p.get(27) + line);
                }
                if (segments >= 0) {
                    tag = n.get(segments + batch * keys + before + at);
                }
                logSums[t] = logSum;
                products[t] = product;
                queryTags[t] = tag;
            }
            c.localBarrier();
            int depth = dim;
            int terms = TILE;
            if (segments >= 0) {
                int low = queryTags[0];
                int high = low;
                for (int i = 1; i < TILE; i++) {
                    low = TornadoMath.min(low, queryTags[i]);
                    high = TornadoMath.max(high, queryTags[i]);
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
                        if (key + line < keys) {
                            value = f.get(k + (key + line) * p.get(16) + (from + term) * p.get(18));
                            third = f.get(v + (key + line) * p.get(21) + (from + term) * p.get(23));
                        }
                        if (query + line < queries) {
                            other = f.get(q + line * lineStride + (from + term) * elementStride);
                            fourth = f.get(out + line * heads * dim + from + term);
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
            for (int i = t % SHARERS; i < TILE; i += SHARERS) {
                int ahead = key + row - before - query - i;
                boolean hidden = open[row] == 0;
                hidden |= causal == 1 && ahead > 0;
                hidden |= window > 0 && ahead <= -window;
                hidden |= segments >= 0 && keyTags[row] != queryTags[i];
                float weight = TornadoMath.exp(tile[row * PITCH + i] * r.get(0) - logSums[i]);
                if (hidden) {
                    weight = 0f;
                }
                tile[row * PITCH + i] = weight;
            }
            c.localBarrier();
            float product0 = products[x];
            float product1 = products[x + SIDE];
            float product2 = products[x + 2 * SIDE];
            float product3 = products[x + 3 * SIDE];
            d00 = tile[mine] * (d00 - product0) * r.get(0);
            d01 = tile[mine + SIDE] * (d01 - product1) * r.get(0);
            d02 = tile[mine + 2 * SIDE] * (d02 - product2) * r.get(0);
            d03 = tile[mine + 3 * SIDE] * (d03 - product3) * r.get(0);
            d10 = tile[mine + SIDE * PITCH] * (d10 - product0) * r.get(0);
            d11 = tile[mine + SIDE * PITCH + SIDE] * (d11 - product1) * r.get(0);
            d12 = tile[mine + SIDE * PITCH + 2 * SIDE] * (d12 - product2) * r.get(0);
            d13 = tile[mine + SIDE * PITCH + 3 * SIDE] * (d13 - product3) * r.get(0);
            d20 = tile[mine + 2 * SIDE * PITCH] * (d20 - product0) * r.get(0);
            d21 = tile[mine + 2 * SIDE * PITCH + SIDE] * (d21 - product1) * r.get(0);
            d22 = tile[mine + 2 * SIDE * PITCH + 2 * SIDE] * (d22 - product2) * r.get(0);
            d23 = tile[mine + 2 * SIDE * PITCH + 3 * SIDE] * (d23 - product3) * r.get(0);
            d30 = tile[mine + 3 * SIDE * PITCH] * (d30 - product0) * r.get(0);
            d31 = tile[mine + 3 * SIDE * PITCH + SIDE] * (d31 - product1) * r.get(0);
            d32 = tile[mine + 3 * SIDE * PITCH + 2 * SIDE] * (d32 - product2) * r.get(0);
            d33 = tile[mine + 3 * SIDE * PITCH + 3 * SIDE] * (d33 - product3) * r.get(0);
            for (int from = 0; from < terms; from += DEPTH) {
                for (int i = 0; i < LOADS; i++) {
                    int e = t + i * LOCAL;
                    int line = e / TILE;
                    int place = e % TILE;
                    float value = 0f;
                    if (query + from + line < queries && column + place < dim) {
                        value = f.get(out + (from + line) * heads * dim + column + place);
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
                    g00 += a0 * b0;
                    g01 += a0 * b1;
                    g02 += a0 * b2;
                    g03 += a0 * b3;
                    g10 += a1 * b0;
                    g11 += a1 * b1;
                    g12 += a1 * b2;
                    g13 += a1 * b3;
                    g20 += a2 * b0;
                    g21 += a2 * b1;
                    g22 += a2 * b2;
                    g23 += a2 * b3;
                    g30 += a3 * b0;
                    g31 += a3 * b1;
                    g32 += a3 * b2;
                    g33 += a3 * b3;
                }
                c.localBarrier();
            }
            c.localBarrier();
            tile[mine] = d00;
            tile[mine + SIDE] = d01;
            tile[mine + 2 * SIDE] = d02;
            tile[mine + 3 * SIDE] = d03;
            tile[mine + SIDE * PITCH] = d10;
            tile[mine + SIDE * PITCH + SIDE] = d11;
            tile[mine + SIDE * PITCH + 2 * SIDE] = d12;
            tile[mine + SIDE * PITCH + 3 * SIDE] = d13;
            tile[mine + 2 * SIDE * PITCH] = d20;
            tile[mine + 2 * SIDE * PITCH + SIDE] = d21;
            tile[mine + 2 * SIDE * PITCH + 2 * SIDE] = d22;
            tile[mine + 2 * SIDE * PITCH + 3 * SIDE] = d23;
            tile[mine + 3 * SIDE * PITCH] = d30;
            tile[mine + 3 * SIDE * PITCH + SIDE] = d31;
            tile[mine + 3 * SIDE * PITCH + 2 * SIDE] = d32;
            tile[mine + 3 * SIDE * PITCH + 3 * SIDE] = d33;
            c.localBarrier();
            for (int from = 0; from < terms; from += DEPTH) {
                for (int i = 0; i < LOADS; i++) {
                    int e = t + i * LOCAL;
                    int line = e / TILE;
                    int place = e % TILE;
                    float value = 0f;
                    if (query + from + line < queries && column + place < dim) {
                        value =
                                f.get(
                                        q
                                                + (from + line) * lineStride
                                                + (column + place) * elementStride);
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
        int to = p.get(29);
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
            if (to >= 0 && key + line < keys && column + place < dim) {
                int at = ((batch * keys + key + line) * keyHeads + keyHead) * dim + column + place;
                f.set(to + at, tile[line * PITCH + place]);
            }
        }
        c.localBarrier();
        to = p.get(30);
        tile[mine] = g00;
        tile[mine + SIDE] = g01;
        tile[mine + 2 * SIDE] = g02;
        tile[mine + 3 * SIDE] = g03;
        tile[mine + SIDE * PITCH] = g10;
        tile[mine + SIDE * PITCH + SIDE] = g11;
        tile[mine + SIDE * PITCH + 2 * SIDE] = g12;
        tile[mine + SIDE * PITCH + 3 * SIDE] = g13;
        tile[mine + 2 * SIDE * PITCH] = g20;
        tile[mine + 2 * SIDE * PITCH + SIDE] = g21;
        tile[mine + 2 * SIDE * PITCH + 2 * SIDE] = g22;
        tile[mine + 2 * SIDE * PITCH + 3 * SIDE] = g23;
        tile[mine + 3 * SIDE * PITCH] = g30;
        tile[mine + 3 * SIDE * PITCH + SIDE] = g31;
        tile[mine + 3 * SIDE * PITCH + 2 * SIDE] = g32;
        tile[mine + 3 * SIDE * PITCH + 3 * SIDE] = g33;
        c.localBarrier();
        for (int i = t; i < TILE * TILE; i += LOCAL) {
            int line = i / TILE;
            int place = i % TILE;
            if (to >= 0 && key + line < keys && column + place < dim) {
                int at = ((batch * keys + key + line) * keyHeads + keyHead) * dim + column + place;
                f.set(to + at, tile[line * PITCH + place]);
            }
        }
    }
}
