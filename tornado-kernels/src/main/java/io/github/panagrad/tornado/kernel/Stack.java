package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.spi.View;

/// Matrices for all heads of all sequences: heads form groups, of which keys and values have one each.
///
/// @param first the first one
/// @param sequence how far apart those of neighbouring sequences are
/// @param group how far apart those of neighbouring groups are
/// @param member how far apart those of a group are; 0 if they are the same
record Stack(Matrix first, int sequence, int group, int member) {
    /// Describes (B, T, H, D), with (T, D) for each head.
    ///
    /// @param members heads of a group of queries that have one head of this
    static Stack of(View view, int members) {
        int head = view.stride(2);
        var first =
                new Matrix(
                        Places.at(view), view.dim(1), view.dim(3), view.stride(1), view.stride(3));
        return new Stack(first, view.stride(0), head * members, members == 1 ? 0 : head);
    }

    /// Returns some rows of each matrix, from some sequence on.
    Stack rows(int fromSequence, int from, int count) {
        return at(first.at() + fromSequence * sequence + from * first.rowStride(), count);
    }

    /// Returns the matrices of one member of each group.
    Stack only(int which) {
        return at(first.at() + which * member, first.rows());
    }

    private Stack at(int at, int rows) {
        var moved = new Matrix(at, rows, first.columns(), first.rowStride(), first.columnStride());
        return new Stack(moved, sequence, group, member);
    }

    /// Returns the same elements with rows and columns exchanged.
    Stack transposed() {
        return new Stack(first.transposed(), sequence, group, member);
    }

    /// Describes c = a·b for so many sequences, groups and members of each, or c += a·b.
    static Product product(
            Stack a, Stack b, Stack c, int sequences, int groups, int members, boolean add) {
        return new Product(
                a.first,
                b.first,
                c.first,
                new int[] {1, sequences, groups, members},
                a.steps(),
                b.steps(),
                c.steps(),
                Product.Bias.NONE,
                add);
    }

    private int[] steps() {
        return new int[] {0, sequence, group, member};
    }
}
