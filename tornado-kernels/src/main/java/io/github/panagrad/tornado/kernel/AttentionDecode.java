package io.github.panagrad.tornado.kernel;

import static io.github.panagrad.tornado.kernel.AttentionKernels.HIDDEN;

import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Attention of few queries to many keys, as when a model generates: a group for each query of a
/// head, a thread for each of a block of keys, then for each element of the result.
final class AttentionDecode {
    /// Threads of a group, and keys that it looks at a time.
    private static final int LOCAL = 256;

    /// The widest heads: each element of a result has at least one thread.
    static final int MOST_ELEMENTS = LOCAL;

    private final Program program;

    AttentionDecode(Programs programs) {
        program = programs.add("attentionDecode", LOCAL, AttentionDecode::kDecode);
    }

    /// Launches a group for each query of each head.
    void run(int groups, int[] numbers, float scale) {
        program.launchGroups(groups, numbers, scale);
    }

    // p: see AttentionKernels; r: scale

    private static void kDecode(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        float[] asked = c.allocateFloatLocalArray(MOST_ELEMENTS);
        float[] weights = c.allocateFloatLocalArray(LOCAL);
        float[] shared = c.allocateFloatLocalArray(LOCAL);
        int t = c.localIdx;
        int queries = p.get(0);
        int keys = p.get(1);
        int heads = p.get(2);
        int dim = p.get(4);
        int window = p.get(6);
        int head = c.groupIdx % heads;
        int query = c.groupIdx / heads % queries;
        int batch = c.groupIdx / heads / queries;
        int keyHead = head / (heads / p.get(3));
        int k = p.get(14) + batch * p.get(15) + keyHead * p.get(17);
        int v = p.get(19) + batch * p.get(20) + keyHead * p.get(22);
        int keyMask = p.get(7);
        int segments = p.get(8);
        int position = query + keys - queries;
        int first = 0;
        int end = keys;
        if (window > 0) {
            first = TornadoMath.max(0, position - window + 1);
        }
        if (p.get(5) == 1) {
            end = position + 1;
        }
        if (t < dim) {
            int q = p.get(9) + batch * p.get(10) + query * p.get(11) + head * p.get(12);
            asked[t] = f.get(q + t * p.get(13)) * r.get(0);
        }
        int slices = LOCAL / dim;
        int slice = t / dim;
        int element = t % dim;
        float highest = HIDDEN;
        float sum = 0f;
        float result = 0f;
        c.localBarrier();
        for (int key = first; key < end; key += LOCAL) {
            int mine = key + t;
            float score = HIDDEN;
            boolean seen = mine < end;
            if (seen && keyMask >= 0) {
                seen = n.get(keyMask + batch * keys + mine) != 0;
            }
            if (seen && segments >= 0) {
                int row = segments + batch * keys;
                seen = n.get(row + mine) == n.get(row + position);
            }
            if (seen) {
                score = 0f;
                int at = k + mine * p.get(16);
                for (int d = 0; d < dim; d++) {
                    score += asked[d] * f.get(at + d * p.get(18));
                }
            }
            shared[t] = score;
            c.localBarrier();
            for (int half = LOCAL / 2; half > 0; half = half / 2) {
                if (t < half) {
                    shared[t] = TornadoMath.max(shared[t], shared[t + half]);
                }
                c.localBarrier();
            }
            float before = highest;
            highest = TornadoMath.max(highest, shared[0]);
            float weight = 0f;
            if (seen) {
                weight = TornadoMath.exp(score - highest);
            }
            weights[t] = weight;
            float factor = TornadoMath.exp(before - highest);
            sum = sum * factor + weight;
            result = result * factor;
            c.localBarrier();
            if (slice < slices) {
                int block = TornadoMath.min(LOCAL, end - key);
                int at = v + key * p.get(21) + element * p.get(23);
                for (int i = slice; i < block; i += slices) {
                    result += weights[i] * f.get(at + i * p.get(21));
                }
            }
            c.localBarrier();
        }
        shared[t] = sum;
        weights[t] = result;
        c.localBarrier();
        for (int half = LOCAL / 2; half > 0; half = half / 2) {
            if (t < half) {
                shared[t] = shared[t] + shared[t + half];
            }
            c.localBarrier();
        }
        sum = shared[0];
        float inverse = 0f;
        float logSum = HIDDEN;
        if (sum != 0f) {
            inverse = 1f / sum;
            logSum = highest + TornadoMath.log(sum);
        }
        if (t == 0) {
            f.set(p.get(25) + (batch * heads + head) * queries + query, logSum);
        }
        if (t < dim) {
            for (int i = 1; i < slices; i++) {
                result += weights[t + i * dim];
            }
            int at = ((batch * queries + query) * heads + head) * dim + t;
            f.set(p.get(24) + at, result * inverse);
        }
    }
}
