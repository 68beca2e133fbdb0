package io.github.panagrad.tornado.kernel;

import io.github.panagrad.tornado.cublas.Gemm;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Says products of matrices as cuBLAS does, which counts by columns: cᵀ = bᵀ·aᵀ of matrices that lie
/// by rows.
final class Gemms {
    private Gemms() {}

    /// How some products lie apart along one of their leading dimensions.
    private record Steps(int extent, int a, int b, int c) {
        /// Returns both dimensions as one, or null if they do not follow on each other.
        @Nullable Steps within(Steps outer) {
            boolean follows =
                    outer.a == (long) extent * a
                            && outer.b == (long) extent * b
                            && outer.c == (long) extent * c;
            return follows ? new Steps(extent * outer.extent, a, b, c) : null;
        }
    }

    /// A factor as cuBLAS takes it.
    private record Factor(boolean transposed, int leading) {
        /// Returns how a matrix is the transposed one of what cuBLAS sees, or null if neither its rows
        /// nor its columns lie without gaps.
        static @Nullable Factor of(Matrix matrix) {
            int rows = matrix.rows();
            int columns = matrix.columns();
            if (matrix.columnStride() == 1 || columns == 1) {
                int leading = rows == 1 ? columns : matrix.rowStride();
                if (leading >= columns) {
                    return new Factor(false, leading);
                }
            }
            if (matrix.rowStride() == 1 || rows == 1) {
                int leading = columns == 1 ? rows : matrix.columnStride();
                if (leading >= rows) {
                    return new Factor(true, leading);
                }
            }
            return null;
        }
    }

    /// Returns the calls that compute products without their bias; null where cuBLAS cannot.
    static @Nullable List<Gemm> of(Product product) {
        Matrix c = product.c();
        Factor result = Factor.of(c);
        if (result == null || product.a().columns() == 0) {
            return null;
        }
        if (result.transposed) {
            return of(product.transposed());
        }
        Factor left = Factor.of(product.b());
        Factor right = Factor.of(product.a());
        if (left == null || right == null) {
            return null;
        }
        List<Steps> dimensions = dimensions(product);
        Steps inner = dimensions.removeLast();
        var calls = new ArrayList<Gemm>();
        for (Steps at : offsets(dimensions)) {
            calls.add(
                    new Gemm(
                            left.transposed,
                            right.transposed,
                            c.columns(),
                            c.rows(),
                            product.a().columns(),
                            new Gemm.Operand(product.b().at() + at.b, left.leading, inner.b),
                            new Gemm.Operand(product.a().at() + at.a, right.leading, inner.a),
                            new Gemm.Operand(c.at() + at.c, result.leading, inner.c),
                            inner.extent,
                            product.add()));
        }
        return calls;
    }

    /// Returns the leading dimensions of more than one index, joined where they can be, the longest
    /// last.
    private static List<Steps> dimensions(Product product) {
        var dimensions = new ArrayList<Steps>();
        dimensions.add(new Steps(1, 0, 0, 0));
        for (int d = Product.BATCH_RANK - 1; d >= 0; d--) {
            int extent = product.extents()[d];
            if (extent == 1) {
                continue;
            }
            var steps =
                    new Steps(
                            extent, product.aSteps()[d], product.bSteps()[d], product.cSteps()[d]);
            Steps joined = dimensions.getLast().within(steps);
            if (joined != null) {
                dimensions.removeLast();
            }
            dimensions.add(joined == null ? steps : joined);
        }
        dimensions.sort((x, y) -> Integer.compare(x.extent, y.extent));
        return dimensions;
    }

    /// Returns how far each index of some dimensions is from the first.
    private static List<Steps> offsets(List<Steps> dimensions) {
        List<Steps> offsets = List.of(new Steps(1, 0, 0, 0));
        for (Steps dimension : dimensions) {
            var more = new ArrayList<Steps>();
            for (Steps from : offsets) {
                for (int i = 0; i < dimension.extent; i++) {
                    more.add(
                            new Steps(
                                    1,
                                    from.a + i * dimension.a,
                                    from.b + i * dimension.b,
                                    from.c + i * dimension.c));
                }
            }
            offsets = more;
        }
        return offsets;
    }
}
