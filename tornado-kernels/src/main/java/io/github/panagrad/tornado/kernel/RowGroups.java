package io.github.panagrad.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// How kernels over rows share them out: a group has one long row or several short ones, each walked
/// by a power of two of neighbouring threads, its lanes.
///
/// Programs that use it have [#LOCAL] threads a group; their launches begin with the rows and the
/// lanes. Each method here has local memory of its own: TornadoVM would count bytes for elements in
/// an array that is handed to it.
final class RowGroups {
    /// Threads of a group.
    static final int LOCAL = 256;

    /// Elements that a lane should have at least.
    private static final int ELEMENTS = 2;

    private static final int FEWEST_LANES = 8;

    private RowGroups() {}

    /// Returns how many threads share a row of n elements.
    static int lanes(int n) {
        int lanes = FEWEST_LANES;
        while (lanes < LOCAL && lanes * ELEMENTS < n) {
            lanes *= 2;
        }
        return lanes;
    }

    /// Returns how many groups a launch takes.
    static int groups(int rows, int lanes) {
        int each = LOCAL / lanes;
        return (int) (((long) rows + each - 1) / each);
    }

    /// Returns the row of a thread; it may be none.
    static int row(KernelContext c, IntArray p) {
        int lanes = p.get(1);
        return c.groupIdx * (LOCAL / lanes) + c.localIdx / lanes;
    }

    /// Adds up what the lanes of a row have, and returns it to all of them.
    static float sum(KernelContext c, int lanes, float value) {
        float[] parts = c.allocateFloatLocalArray(LOCAL);
        int t = c.localIdx;
        int lane = t % lanes;
        parts[t] = value;
        c.localBarrier();
        for (int half = lanes / 2; half > 0; half = half / 2) {
            if (lane < half) {
                parts[t] = parts[t] + parts[t + half];
            }
            c.localBarrier();
        }
        float total = parts[t - lane];
        c.localBarrier();
        return total;
    }

    /// Returns the greatest of what the lanes of a row have, to all of them; NaN may be overlooked.
    static float max(KernelContext c, int lanes, float value) {
        float[] parts = c.allocateFloatLocalArray(LOCAL);
        int t = c.localIdx;
        int lane = t % lanes;
        parts[t] = value;
        c.localBarrier();
        for (int half = lanes / 2; half > 0; half = half / 2) {
            if (lane < half) {
                float other = parts[t + half];
                if (other > parts[t]) {
                    parts[t] = other;
                }
            }
            c.localBarrier();
        }
        float greatest = parts[t - lane];
        c.localBarrier();
        return greatest;
    }
}
