package io.github.panagrad.tornado.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.tornado.cublas.Gemm;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Products in cuBLAS's terms, computed here by its definition: no device takes part.
class GemmsTest {
    private static final int M = 5;
    private static final int N = 4;
    private static final int K = 3;
    private static final float[] MEMORY = random(4000);

    @ParameterizedTest(name = "a {0}, b {1}, c {2}, added {3}")
    @CsvSource({
        "false, false, false, false",
        "true, false, false, true",
        "false, true, false, false",
        "true, true, false, true",
        "false, false, true, true",
        "true, false, true, false",
        "false, true, true, true",
        "true, true, true, false"
    })
    void multipliesMatricesThatLieByRowsOrColumns(
            boolean aTurned, boolean bTurned, boolean cTurned, boolean add) {
        check(
                Product.of(
                        matrix(10, M, K, aTurned),
                        matrix(200, K, N, bTurned),
                        matrix(500, M, N, cTurned),
                        add),
                1);
    }

    @ParameterizedTest(name = "{0} x {1}, {2} terms")
    @CsvSource({"1, 4, 3", "5, 1, 3", "5, 4, 1", "1, 1, 3", "1, 1, 1"})
    void multipliesVectors(int m, int n, int k) {
        check(
                Product.of(
                        Matrix.contiguous(10, m, k),
                        Matrix.contiguous(200, n, k).transposed(),
                        Matrix.contiguous(500, m, n),
                        true),
                1);
    }

    @Test
    void takesBatchesThatFollowOnEachOtherInOneCall() {
        check(batched(new int[] {2, 3}, new int[] {180, 60}, new int[] {0, 0}), 1);
    }

    @Test
    void takesOthersInACallForEachIndexOfTheShorterDimension() {
        check(batched(new int[] {2, 3}, new int[] {60, 120}, new int[] {40, 0}), 2);
        check(batched(new int[] {3, 2}, new int[] {60, 180}, new int[] {0, 40}), 2);
    }

    @Test
    void leavesOtherStridesAndSumsWithoutTermsToTheKernels() {
        Matrix c = Matrix.contiguous(500, M, N);
        Matrix b = Matrix.contiguous(200, K, N);
        var scattered = new Matrix(10, M, K, 2 * K, 2);
        var repeated = new Matrix(10, M, K, 0, 1);

        assertThat(Gemms.of(Product.of(scattered, b, c, false))).isNull();
        assertThat(Gemms.of(Product.of(repeated, b, c, false))).isNull();
        assertThat(
                        Gemms.of(
                                Product.of(
                                        Matrix.contiguous(10, M, 0),
                                        Matrix.contiguous(200, 0, N),
                                        c,
                                        false)))
                .isNull();
    }

    /// Products over two leading dimensions, with results that follow on each other.
    private static Product batched(int[] extents, int[] aSteps, int[] bSteps) {
        return new Product(
                matrix(10, M, K, false),
                matrix(1000, K, N, true),
                Matrix.contiguous(2000, M, N),
                leading(1, extents),
                leading(0, aSteps),
                leading(0, bSteps),
                leading(0, new int[] {extents[1] * M * N, M * N}),
                Product.Bias.NONE,
                false);
    }

    private static int[] leading(int rest, int[] last) {
        int[] all = new int[Product.BATCH_RANK];
        Arrays.fill(all, rest);
        System.arraycopy(last, 0, all, all.length - last.length, last.length);
        return all;
    }

    /// A matrix with a gap after each row, or after each column.
    private static Matrix matrix(int at, int rows, int columns, boolean turned) {
        return turned
                ? new Matrix(at, rows, columns, 1, rows + 2)
                : new Matrix(at, rows, columns, columns + 3, 1);
    }

    private static void check(Product product, int calls) {
        float[] expected = MEMORY.clone();
        multiply(product, expected, 0, 0, 0, 0);
        List<Gemm> gemms = Objects.requireNonNull(Gemms.of(product));
        assertThat(gemms).hasSize(calls);
        float[] actual = MEMORY.clone();
        gemms.forEach(gemm -> compute(gemm, actual));
        assertThat(actual).containsExactly(expected, within(1e-6f));
    }

    /// What a product says, index by index.
    private static void multiply(Product p, float[] memory, int d, int a, int b, int c) {
        if (d < Product.BATCH_RANK) {
            for (int i = 0; i < p.extents()[d]; i++) {
                multiply(
                        p,
                        memory,
                        d + 1,
                        a + i * p.aSteps()[d],
                        b + i * p.bSteps()[d],
                        c + i * p.cSteps()[d]);
            }
            return;
        }
        for (int i = 0; i < p.c().rows(); i++) {
            for (int j = 0; j < p.c().columns(); j++) {
                float sum = 0;
                for (int k = 0; k < p.a().columns(); k++) {
                    sum += memory[a + at(p.a(), i, k)] * memory[b + at(p.b(), k, j)];
                }
                int to = c + at(p.c(), i, j);
                memory[to] = p.add() ? memory[to] + sum : sum;
            }
        }
    }

    private static int at(Matrix matrix, int row, int column) {
        return matrix.at() + row * matrix.rowStride() + column * matrix.columnStride();
    }

    /// What `cublasGemmStridedBatchedEx` is documented to do.
    private static void compute(Gemm g, float[] memory) {
        assertThat(g.a().leading()).isGreaterThanOrEqualTo(g.transposeA() ? g.k() : g.m());
        assertThat(g.b().leading()).isGreaterThanOrEqualTo(g.transposeB() ? g.n() : g.k());
        assertThat(g.c().leading()).isGreaterThanOrEqualTo(g.m());
        for (int l = 0; l < g.count(); l++) {
            for (int i = 0; i < g.m(); i++) {
                for (int j = 0; j < g.n(); j++) {
                    float sum = 0;
                    for (int k = 0; k < g.k(); k++) {
                        sum +=
                                memory[place(g.a(), g.transposeA(), i, k, l)]
                                        * memory[place(g.b(), g.transposeB(), k, j, l)];
                    }
                    int to = place(g.c(), false, i, j, l);
                    memory[to] = g.add() ? memory[to] + sum : sum;
                }
            }
        }
    }

    private static int place(Gemm.Operand x, boolean transposed, int row, int column, int index) {
        int inside = transposed ? column + row * x.leading() : row + column * x.leading();
        return x.at() + index * x.step() + inside;
    }

    private static float[] random(int n) {
        Rng.Draw draw = Rng.of(11).draw();
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = draw.uniform(i) - 0.5f;
        }
        return values;
    }
}
