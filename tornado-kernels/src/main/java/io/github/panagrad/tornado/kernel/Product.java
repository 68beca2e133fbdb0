package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.View;
import java.util.Arrays;

/// A product of matrices, c = a·b + bias or c += a·b, for each index of some leading dimensions.
///
/// @param a the first left factor
/// @param b the first right factor
/// @param c the first result
/// @param extents the leading dimensions, [#BATCH_RANK] of them
/// @param aSteps how far a moves along each
/// @param bSteps how far b moves along each
/// @param cSteps how far c moves along each
/// @param bias a vector that is added to each row, or column, of each result
/// @param add whether the product is added to what c holds
record Product(
        Matrix a,
        Matrix b,
        Matrix c,
        int[] extents,
        int[] aSteps,
        int[] bSteps,
        int[] cSteps,
        Bias bias,
        boolean add) {
    /// Leading dimensions that a launch knows.
    static final int BATCH_RANK = Places.RANK - 2;

    /// Where the summand of the element in some row and column lies.
    ///
    /// @param at the place of the first one; negative if there is none
    record Bias(int at, int rowStride, int columnStride) {
        static final Bias NONE = new Bias(-1, 0, 0);
    }

    /// Describes one product of matrices.
    static Product of(Matrix a, Matrix b, Matrix c, boolean add) {
        int[] one = new int[BATCH_RANK];
        Arrays.fill(one, 1);
        int[] still = new int[BATCH_RANK];
        return new Product(a, b, c, one, still, still, still, Bias.NONE, add);
    }

    /// Describes the products of the last two dimensions of views, whose leading ones broadcast.
    ///
    /// @param shape the result's, of at least two dimensions
    /// @param a what is repeated to (…, M, K)
    /// @param b what is repeated to (…, K, N)
    /// @param c place of the results, which follow each other without gaps
    static Product of(Shape shape, int k, View a, View b, int c, Bias bias) {
        int[] aStrides = Places.strides(a, shape.with(-1, k));
        int[] bStrides = Places.strides(b, shape.with(-2, k));
        int[] cStrides = Places.strides(new View(a.storage(), Layout.contiguous(shape)), shape);
        int[] extents = Places.extents(shape);
        int m = extents[BATCH_RANK];
        int n = extents[BATCH_RANK + 1];
        int aRow = aStrides[BATCH_RANK];
        int cRow = cStrides[BATCH_RANK];
        // Where b is the same along the last leading dimensions, rows of all a's are rows of one.
        boolean tall = true;
        for (int d = BATCH_RANK - 1; d >= 0 && tall; d--) {
            if (extents[d] == 1) {
                continue;
            }
            tall = bStrides[d] == 0 && (m == 1 || aStrides[d] == (long) m * aRow);
            if (tall) {
                if (m == 1) {
                    aRow = aStrides[d];
                    cRow = cStrides[d];
                }
                m *= extents[d];
                extents[d] = 1;
            }
        }
        return new Product(
                new Matrix(Places.at(a), m, k, aRow, aStrides[BATCH_RANK + 1]),
                new Matrix(Places.at(b), k, n, bStrides[BATCH_RANK], bStrides[BATCH_RANK + 1]),
                new Matrix(c, m, n, cRow, 1),
                extents,
                aStrides,
                bStrides,
                cStrides,
                bias,
                false);
    }

    /// Returns how many products there are.
    int batches() {
        int batches = 1;
        for (int d = 0; d < BATCH_RANK; d++) {
            batches *= extents[d];
        }
        return batches;
    }

    /// Returns cᵀ = bᵀ·aᵀ, the same elements.
    Product transposed() {
        return new Product(
                b.transposed(),
                a.transposed(),
                c.transposed(),
                extents,
                bSteps,
                aSteps,
                cSteps,
                new Bias(bias.at, bias.columnStride, bias.rowStride),
                add);
    }

    /// Returns the numbers of a launch, as the kernels of [MatMulKernels] expect them.
    int[] numbers() {
        int[] numbers = {
            c.rows(),
            c.columns(),
            a.columns(),
            a.at(),
            a.rowStride(),
            a.columnStride(),
            b.at(),
            b.rowStride(),
            b.columnStride(),
            c.at(),
            c.rowStride(),
            c.columnStride(),
            add ? 1 : 0,
            bias.at,
            bias.rowStride,
            bias.columnStride
        };
        return Places.join(
                numbers, leading(extents), leading(aSteps), leading(bSteps), leading(cSteps));
    }

    private static int[] leading(int[] dimensions) {
        return Arrays.copyOf(dimensions, BATCH_RANK);
    }
}
