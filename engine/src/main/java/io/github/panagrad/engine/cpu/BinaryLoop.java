package io.github.panagrad.engine.cpu;

/// The loops of a function of two elements; made by [LaneLoops].
///
/// The result's array may be that of an operand at the same offset.
interface BinaryLoop {
    /// Sets `y[yo + i] = f(a[ao + i], b[bo + i], p, q)` for i < n.
    void run(float[] a, int ao, float[] b, int bo, float[] y, int yo, int n, float p, float q);

    /// Sets `y[yo + i] = f(a[ao + i], b, p, q)` for i < n.
    void runRight(float[] a, int ao, float b, float[] y, int yo, int n, float p, float q);

    /// Sets `y[yo + i] = f(a, b[bo + i], p, q)` for i < n.
    void runLeft(float a, float[] b, int bo, float[] y, int yo, int n, float p, float q);
}
