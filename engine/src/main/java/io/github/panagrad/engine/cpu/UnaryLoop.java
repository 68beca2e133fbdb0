package io.github.panagrad.engine.cpu;

/// The loop of a function of one element; made by [LaneLoops].
interface UnaryLoop {
    /// Sets `y[yo + i] = f(x[xo + i], p, q)` for i < n. The arrays may be the same at the same
    /// offset.
    void run(float[] x, int xo, float[] y, int yo, int n, float p, float q);
}
