package io.github.panagrad.tornado.device;

import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Floats of a device that no kernel reads or writes but the one that moves them to and from the near
/// array; allocated on the device when first used.
///
/// An array has at most 2³¹ − 1 elements, and a kernel cannot choose among several by data.
final class FarArray {
    private static final int LOCAL = 128;

    /// What is free in it.
    final RangeAllocator ranges;

    private final FloatArray floats;
    private final Program move;

    FarArray(Programs programs, int number, int elements) {
        ranges = new RangeAllocator(elements);
        floats = FloatArray.fromSegmentShallow(Mirror.untouched(elements));
        move = programs.addOwner("far" + number, LOCAL, floats, FarArray::kMove);
    }

    /// Moves n floats here from the near array.
    void store(int near, int at, int n) {
        move.launch(n, new int[] {n, near, at, 1});
    }

    /// Moves n floats from here to the near array.
    void load(int at, int near, int n) {
        move.launch(n, new int[] {n, near, at, 0});
    }

    /// Copies n floats to the host, and returns the host's copy of all, of which these are true.
    FloatArray fetch(int at, int n) {
        move.execute(1, new int[] {0})
                .transferToHost(new DataRange(floats).withOffset(at).withSize(n));
        return floats;
    }

    /// Takes a range for a block of floats that is near, moves what the block holds there, and tells the block;
    /// the caller gives back where it lay.
    ///
    /// @return whether there was room
    boolean take(Block block, int number) {
        int to = ranges.take(block.length);
        if (to < 0) {
            return false;
        }
        store(block.at, to, block.length);
        block.at = to;
        block.array = number;
        return true;
    }

    // p: n, near, far, whether to the far array

    private static void kMove(KernelContext c, FloatArray near, FloatArray far, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            if (p.get(3) == 1) {
                far.set(p.get(2) + i, near.get(p.get(1) + i));
            } else {
                near.set(p.get(1) + i, far.get(p.get(2) + i));
            }
        }
    }
}
