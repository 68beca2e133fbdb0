package io.github.panagrad.tornado.cublas;

/// Products C = A·B, or C += A·B, as cuBLAS counts: matrices by columns, at places in the device's
/// floats, one product for each of some places that lie equally far apart.
///
/// Shapes: A (M, K), B (K, N), C (M, N).
///
/// @param transposeA whether A lies transposed, as (K, M)
/// @param transposeB whether B lies transposed, as (N, K)
/// @param m M
/// @param n N
/// @param k K
/// @param a the place of the first A
/// @param b the place of the first B
/// @param c the place of the first C
/// @param count how many products
/// @param add whether the product is added to what C holds
public record Gemm(
        boolean transposeA,
        boolean transposeB,
        int m,
        int n,
        int k,
        Operand a,
        Operand b,
        Operand c,
        int count,
        boolean add) {
    /// Matrices at equal distances.
    ///
    /// @param at the place of the first element of the first one
    /// @param leading how far apart the beginnings of neighbouring columns are
    /// @param step how far apart neighbouring matrices are
    public record Operand(int at, int leading, int step) {}
}
