package io.github.panagrad.engine.cpu;

/// The loop of a relation of two elements; made by [LaneLoops].
interface RelationLoop {
    /// Sets `y[yo + i]` to 1 where `a[ao + i]` and `b[bo + i]` are so related, else to 0, for i <
    // n.
    void run(float[] a, int ao, float[] b, int bo, byte[] y, int yo, int n);
}
