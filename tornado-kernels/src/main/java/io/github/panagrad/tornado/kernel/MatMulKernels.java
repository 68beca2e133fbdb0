package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.Linear;
import io.github.panagrad.engine.op.MatMul;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.cublas.Precision;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import java.util.Optional;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Products of matrices, all batches in one launch, transposed operands read where they lie.
///
/// Tiles of the result for the usual sizes; sums shared by the threads of a group where the result
/// has few rows or columns, as for the one token of a decoding step. Where cuBLAS is there, it comes
/// first.
final class MatMulKernels {
    private static final int LOCAL = 256;

    /// Rows and columns of a tile of the result.
    private static final int TILE = 64;

    /// Terms of the sums that are in local memory at a time.
    private static final int DEPTH = 16;

    /// Threads along each side of a tile; each has every SIDE-th row and column.
    private static final int SIDE = 16;

    /// Rows, and columns, of a tile that each thread has.
    private static final int ROWS_EACH = TILE / SIDE;

    /// Row length of tiles in local memory: odd, so that a column spreads over the banks.
    private static final int PITCH = TILE + 1;

    /// Elements of a tile of an operand that each thread loads.
    private static final int LOADS = TILE * DEPTH / LOCAL;

    /// The most rows for which a group sums up columns together.
    private static final int FEW = 4;

    /// Threads that share a sum when neighbouring terms lie next to each other.
    private static final int LANES_ALONG_TERMS = 32;

    /// Threads that share a sum when neighbouring columns lie next to each other.
    private static final int LANES_ALONG_COLUMNS = 8;

    private static final int EXTENTS = 16;
    private static final int A_STEPS = EXTENTS + Product.BATCH_RANK;
    private static final int B_STEPS = A_STEPS + Product.BATCH_RANK;
    private static final int C_STEPS = B_STEPS + Product.BATCH_RANK;
    private static final int EXTRA = C_STEPS + Product.BATCH_RANK;

    private final Optional<CuBlasProducts> library;
    private final Program tiles;
    private final Program fewRows;

    MatMulKernels(PanagradDevice device) {
        Programs programs = device.programs();
        library = CuBlasProducts.of(device);
        tiles = programs.add("matMulTiles", LOCAL, MatMulKernels::kTiles);
        fewRows = programs.add("matMulFewRows", LOCAL, MatMulKernels::kFewRows);
    }

    void register(KernelTable table) {
        table.add(MatMul.class, new MatMulKernel(), (op, in) -> suits(in));
        table.add(Linear.class, new LinearKernel(), (op, in) -> suits(in));
    }

    private static boolean suits(View[] in) {
        return KernelTable.floats(in)
                && in[0].shape().rank() <= Places.RANK
                && in[1].shape().rank() <= Places.RANK;
    }

    /// Returns a kernel's name, with the library if that is what computes.
    private String named(String kernel) {
        return library.isPresent() ? kernel + " (cuBLAS)" : kernel;
    }

    private final class MatMulKernel implements StridedKernel<MatMul> {
        @Override
        public String name() {
            return named("MatMulKernel");
        }

        @Override
        public void run(MatMul op, View[] in, View[] out) {
            Shape shape = out[0].shape();
            multiply(
                    Product.of(
                            shape,
                            in[0].dim(-1),
                            in[0],
                            in[1],
                            Places.at(out[0]),
                            Product.Bias.NONE));
        }
    }

    private final class LinearKernel implements StridedKernel<Linear> {
        @Override
        public String name() {
            return named("LinearKernel");
        }

        @Override
        public void run(Linear op, View[] in, View[] out) {
            Shape shape = out[0].shape();
            if (shape.rank() == 1) {
                shape = shape.insert(0, 1);
            }
            View weight = new View(in[1].storage(), in[1].layout().permute(1, 0));
            var bias = Product.Bias.NONE;
            if (in.length > 2) {
                bias = new Product.Bias(Places.at(in[2]), 0, in[2].stride(0));
            }
            multiply(Product.of(shape, in[0].dim(-1), in[0], weight, Places.at(out[0]), bias));
        }
    }

    /// Tells whether a library computes most products.
    boolean hasLibrary() {
        return library.isPresent();
    }

    /// Returns what the factors of products are rounded to, for tensor cores; empty if they are not.
    Optional<Precision> rounding() {
        return library.map(CuBlasProducts::precision).filter(p -> p != Precision.F32);
    }

    /// Computes c = a·b, or adds a·b to c.
    void product(Matrix a, Matrix b, Matrix c, boolean add) {
        multiply(Product.of(a, b, c, add));
    }

    /// Computes products.
    void multiply(Product product) {
        int m = product.c().rows();
        int n = product.c().columns();
        if (m == 0 || n == 0 || library.isPresent() && library.get().multiply(product)) {
            return;
        }
        if (m <= FEW) {
            multiplyFewRows(product);
        } else if (n <= FEW) {
            multiplyFewRows(product.transposed());
        } else {
            int rows = (m + TILE - 1) / TILE;
            int columns = (n + TILE - 1) / TILE;
            int[] more = {
                rows,
                columns,
                alongTerms(product.a().columnStride(), product.a().rowStride()),
                alongTerms(product.b().rowStride(), product.b().columnStride())
            };
            tiles.launchGroups(
                    product.batches() * rows * columns, Places.join(product.numbers(), more));
        }
    }

    /// Returns 1 if threads had better walk along the terms of the sums than across the sums.
    private static int alongTerms(int stride, int across) {
        return Math.abs(stride) <= Math.abs(across) ? 1 : 0;
    }

    private void multiplyFewRows(Product product) {
        int alongTerms = alongTerms(product.b().rowStride(), product.b().columnStride());
        int lanes = alongTerms == 1 ? LANES_ALONG_TERMS : LANES_ALONG_COLUMNS;
        int columns = LOCAL / lanes;
        int groups = (product.c().columns() + columns - 1) / columns;
        fewRows.launchGroups(
                product.batches() * groups,
                Places.join(product.numbers(), new int[] {groups, lanes, alongTerms}));
    }

    // p: m, n, k, places and strides (row, column) of a, b, c, whether c is added to, place and
    // strides of the bias, extents of the batch, steps of a, b, c along it, rows of tiles, columns
    // of tiles, whether threads load a along its rows, b along its columns

    private static void kTiles(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        float[] left = c.allocateFloatLocalArray(DEPTH * PITCH);
        float[] right = c.allocateFloatLocalArray(DEPTH * PITCH);
        int t = c.localIdx;
        int x = t % SIDE;
        int y = t / SIDE;
        int m = p.get(0);
        int columns = p.get(1);
        int k = p.get(2);
        int a = p.get(3);
        int b = p.get(6);
        int to = p.get(9);
        int tileColumns = p.get(EXTRA + 1);
        int tilesOfOne = p.get(EXTRA) * tileColumns;
        int batch = c.groupIdx / tilesOfOne;
        int tile = c.groupIdx % tilesOfOne;
        int row = tile / tileColumns * TILE;
        int column = tile % tileColumns * TILE;
        for (int d = Product.BATCH_RANK - 1; d >= 0; d--) {
            int extent = p.get(EXTENTS + d);
            int index = batch % extent;
            batch = batch / extent;
            a += index * p.get(A_STEPS + d);
            b += index * p.get(B_STEPS + d);
            to += index * p.get(C_STEPS + d);
        }
        int aRow = p.get(4);
        int aTerm = p.get(5);
        int bTerm = p.get(7);
        int bColumn = p.get(8);
        int aAlong = p.get(EXTRA + 2);
        int bAlong = p.get(EXTRA + 3);
        float c00 = 0f;
        float c01 = 0f;
        float c02 = 0f;
        float c03 = 0f;
        float c10 = 0f;
        float c11 = 0f;
        float c12 = 0f;
        float c13 = 0f;
        float c20 = 0f;
        float c21 = 0f;
        float c22 = 0f;
        float c23 = 0f;
        float c30 = 0f;
        float c31 = 0f;
        float c32 = 0f;
        float c33 = 0f;
        for (int first = 0; first < k; first += DEPTH) {
            for (int i = 0; i < LOADS; i++) {
                int e = t + i * LOCAL;
                int line = e % TILE;
                int term = e / TILE;
                if (aAlong == 1) {
                    line = e / DEPTH;
                    term = e % DEPTH;
                }
                float value = 0f;
                if (row + line < m && first + term < k) {
                    value = f.get(a + (row + line) * aRow + (first + term) * aTerm);
                }
                left[term * PITCH + line] = value;
                line = e % TILE;
                term = e / TILE;
                if (bAlong == 1) {
                    line = e / DEPTH;
                    term = e % DEPTH;
                }
                value = 0f;
                if (column + line < columns && first + term < k) {
                    value = f.get(b + (first + term) * bTerm + (column + line) * bColumn);
                }
                right[term * PITCH + line] = value;
            }
            c.localBarrier();
            for (int term = 0; term < DEPTH; term++) {
                int at = term * PITCH + y;
                float a0 = left[at];
                float a1 = left[at + SIDE];
                float a2 = left[at + 2 * SIDE];
                float a3 = left[at + 3 * SIDE];
                at = term * PITCH + x;
                float b0 = right[at];
                float b1 = right[at + SIDE];
                float b2 = right[at + 2 * SIDE];
                float b3 = right[at + 3 * SIDE];
                c00 += a0 * b0;
                c01 += a0 * b1;
                c02 += a0 * b2;
                c03 += a0 * b3;
                c10 += a1 * b0;
                c11 += a1 * b1;
                c12 += a1 * b2;
                c13 += a1 * b3;
                c20 += a2 * b0;
                c21 += a2 * b1;
                c22 += a2 * b2;
                c23 += a2 * b3;
                c30 += a3 * b0;
                c31 += a3 * b1;
                c32 += a3 * b2;
                c33 += a3 * b3;
            }
            c.localBarrier();
        }
        float[] sums = new float[ROWS_EACH * ROWS_EACH];
        sums[0] = c00;
        sums[1] = c01;
        sums[2] = c02;
        sums[3] = c03;
        sums[4] = c10;
        sums[5] = c11;
        sums[6] = c12;
        sums[7] = c13;
        sums[8] = c20;
        sums[9] = c21;
        sums[10] = c22;
        sums[11] = c23;
        sums[12] = c30;
        sums[13] = c31;
        sums[14] = c32;
        sums[15] = c33;
        for (int i = 0; i < ROWS_EACH * ROWS_EACH; i++) {
            int atRow = row + y + i / ROWS_EACH * SIDE;
            int atColumn = column + x + i % ROWS_EACH * SIDE;
            if (atRow < m && atColumn < columns) {
                write(f, p, to, atRow, atColumn, sums[i]);
            }
        }
    }

    private static void write(
            FloatArray f, IntArray p, int to, int row, int column, float product) {
        float value = product;
        int at = to + row * p.get(10) + column * p.get(11);
        if (p.get(12) == 1) {
            value += f.get(at);
        }
        if (p.get(13) >= 0) {
            value += f.get(p.get(13) + row * p.get(14) + column * p.get(15));
        }
        f.set(at, value);
    }

    // p: as above up to the steps, then groups of columns, threads that share a sum, whether
    // threads
    // load b along its columns

    private static void kFewRows(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        float[] sums = c.allocateFloatLocalArray(FEW * LOCAL);
        int t = c.localIdx;
        int m = p.get(0);
        int columns = p.get(1);
        int k = p.get(2);
        int a = p.get(3);
        int b = p.get(6);
        int to = p.get(9);
        int groups = p.get(EXTRA);
        int lanes = p.get(EXTRA + 1);
        int width = LOCAL / lanes;
        int lane = t / width;
        int place = t % width;
        if (p.get(EXTRA + 2) == 1) {
            lane = t % lanes;
            place = t / lanes;
        }
        int batch = c.groupIdx / groups;
        int column = c.groupIdx % groups * width + place;
        for (int d = Product.BATCH_RANK - 1; d >= 0; d--) {
            int extent = p.get(EXTENTS + d);
            int index = batch % extent;
            batch = batch / extent;
            a += index * p.get(A_STEPS + d);
            b += index * p.get(B_STEPS + d);
            to += index * p.get(C_STEPS + d);
        }
        int aRow = p.get(4);
        int aTerm = p.get(5);
        int bTerm = p.get(7);
        float s0 = 0f;
        float s1 = 0f;
        float s2 = 0f;
        float s3 = 0f;
        if (column < columns) {
            b += column * p.get(8);
            // Rows that are not there repeat the first one.
            int second = a;
            int third = a;
            int fourth = a;
            if (m > 1) {
                second = a + aRow;
            }
            if (m > 2) {
                third = a + 2 * aRow;
            }
            if (m > 3) {
                fourth = a + 3 * aRow;
            }
            for (int term = lane; term < k; term += lanes) {
                float value = f.get(b + term * bTerm);
                int at = term * aTerm;
                s0 += value * f.get(a + at);
                s1 += value * f.get(second + at);
                s2 += value * f.get(third + at);
                s3 += value * f.get(fourth + at);
            }
        }
        int mine = lane * width + place;
        sums[mine] = s0;
        sums[LOCAL + mine] = s1;
        sums[2 * LOCAL + mine] = s2;
        sums[3 * LOCAL + mine] = s3;
        c.localBarrier();
        for (int half = lanes / 2; half > 0; half = half / 2) {
            if (lane < half) {
                int other = mine + half * width;
                sums[mine] = sums[mine] + sums[other];
                sums[LOCAL + mine] = sums[LOCAL + mine] + sums[LOCAL + other];
                sums[2 * LOCAL + mine] = sums[2 * LOCAL + mine] + sums[2 * LOCAL + other];
                sums[3 * LOCAL + mine] = sums[3 * LOCAL + mine] + sums[3 * LOCAL + other];
            }
            c.localBarrier();
        }
        if (lane < m && column < columns) {
            write(f, p, to, lane, column, sums[lane * LOCAL + place]);
        }
    }
}
