package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.spi.View;

/// Matrices for all heads of all sequences.
///
/// @param first the first one
/// @param sequence how far apart those of neighbouring sequences are
/// @param head how far apart those of neighbouring heads are
record Stack(Matrix first, int sequence, int head) {
    /// Describes (B, T, H, D): (T, D) for each head.
    static Stack of(View view) {
        var first =
                new Matrix(
                        Places.at(view), view.dim(1), view.dim(3), view.stride(1), view.stride(3));
        return new Stack(first, view.stride(0), view.stride(2));
    }

    /// Describes (B, T, H, D) without gaps.
    static Stack contiguous(int at, int rows, int heads, int dim) {
        int row = heads * dim;
        return new Stack(new Matrix(at, rows, dim, row, 1), rows * row, dim);
    }

    /// Returns some rows of each matrix, from some sequence on.
    Stack rows(int fromSequence, int from, int count) {
        int at = first.at() + fromSequence * sequence + from * first.rowStride();
        var rows = new Matrix(at, count, first.columns(), first.rowStride(), first.columnStride());
        return new Stack(rows, sequence, head);
    }

    /// Returns the same elements with rows and columns exchanged.
    Stack transposed() {
        return new Stack(first.transposed(), sequence, head);
    }

    /// Describes c = a·b for so many sequences and heads of each, or c += a·b.
    static Product product(Stack a, Stack b, Stack c, int sequences, int heads, boolean add) {
        return new Product(
                a.first,
                b.first,
                c.first,
                new int[] {1, 1, sequences, heads},
                a.steps(),
                b.steps(),
                c.steps(),
                Product.Bias.NONE,
                add);
    }

    private int[] steps() {
        return new int[] {0, 0, sequence, head};
    }
}
