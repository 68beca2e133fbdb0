package io.github.panagrad.tornado.kernel;

/// A matrix in the device's floats, with any strides.
///
/// @param at the place of its first element
/// @param rows how many rows
/// @param columns how many columns
/// @param rowStride how far apart neighbouring rows are
/// @param columnStride how far apart neighbouring columns are
record Matrix(int at, int rows, int columns, int rowStride, int columnStride) {
    /// Returns a matrix whose rows follow each other without gaps.
    static Matrix contiguous(int at, int rows, int columns) {
        return new Matrix(at, rows, columns, columns, 1);
    }

    /// Returns the same elements with rows and columns exchanged.
    Matrix transposed() {
        return new Matrix(at, columns, rows, columnStride, rowStride);
    }
}
