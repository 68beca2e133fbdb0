package io.github.panagrad.nn.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DecompositionsTest {
    private static final double TOLERANCE = 1e-12;

    /// A matrix drawn from a seed, which names the case when it fails.
    record Case(long seed, int rows, int cols, double[] a) {
        static Case of(long seed) {
            var random = new Random(seed);
            int rows = 1 + random.nextInt(24);
            int cols = 1 + random.nextInt(24);
            double scale = Math.pow(10, random.nextInt(-6, 7));
            int rank = 1 + random.nextInt(Math.min(rows, cols));
            boolean deficient = random.nextInt(3) == 0;
            double[] a =
                    deficient
                            ? product(
                                    normals(random, rows * rank, scale),
                                    normals(random, rank * cols, 1),
                                    rows,
                                    rank,
                                    cols)
                            : normals(random, rows * cols, scale);
            return new Case(seed, rows, cols, a);
        }

        double largest() {
            return Arrays.stream(a).map(Math::abs).max().orElseThrow();
        }

        @Override
        public String toString() {
            return "seed " + seed + " (" + rows + ", " + cols + ")";
        }
    }

    static Stream<Case> cases() {
        return LongStream.range(0, 60).mapToObj(Case::of);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void svdRebuildsTheMatrix(Case c) {
        var svd = Decompositions.svd(c.a, c.rows, c.cols);
        int k = Math.min(c.rows, c.cols);
        double[] us = svd.u().clone();
        for (int i = 0; i < us.length; i++) {
            us[i] *= svd.s()[i % k];
        }
        assertClose(product(us, svd.vt(), c.rows, k, c.cols), c.a, c.largest() * c.rows * c.cols);
        assertOrthonormalColumns(svd.u(), c.rows, k);
        assertOrthonormalColumns(transposed(svd.vt(), k, c.cols), c.cols, k);
        assertDescending(svd.s());
        assertThat(Arrays.stream(svd.s())).allMatch(s -> s >= 0);
        assertLargestPositive(svd.u(), c.rows, k);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void singularValuesAreThoseOfTheSvd(Case c) {
        double[] s = Decompositions.svd(c.a, c.rows, c.cols).s();
        assertThat(Decompositions.singularValues(c.a, c.rows, c.cols))
                .containsExactly(s, within(1e-12 * c.largest() * c.rows * c.cols));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void qrRebuildsTheMatrix(Case c) {
        var qr = Decompositions.qr(c.a, c.rows, c.cols);
        int k = Math.min(c.rows, c.cols);
        assertClose(product(qr.q(), qr.r(), c.rows, k, c.cols), c.a, c.largest() * c.rows);
        assertOrthonormalColumns(qr.q(), c.rows, k);
        for (int i = 0; i < k; i++) {
            assertThat(qr.r()[i * c.cols + i]).isNotNegative();
            for (int j = 0; j < i; j++) {
                assertThat(qr.r()[i * c.cols + j]).isZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void eigenRebuildsTheGramMatrixAndMatchesTheSvd(Case c) {
        double[] gram = product(transposed(c.a, c.rows, c.cols), c.a, c.cols, c.rows, c.cols);
        int n = c.cols;
        double largest = Arrays.stream(gram).map(Math::abs).max().orElseThrow();
        var eigen = Decompositions.symmetricEigen(gram, n);
        double[] scaled = eigen.vectors().clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] *= eigen.values()[i % n];
        }
        double[] rebuilt = product(scaled, transposed(eigen.vectors(), n, n), n, n, n);
        assertClose(rebuilt, gram, largest * n * n);
        assertOrthonormalColumns(eigen.vectors(), n, n);
        assertDescending(eigen.values());
        assertLargestPositive(eigen.vectors(), n, n);
        double[] s = Decompositions.svd(c.a, c.rows, c.cols).s();
        for (int i = 0; i < s.length; i++) {
            assertThat(eigen.values()[i]).isCloseTo(s[i] * s[i], within(largest * n * 1e-10));
        }
    }

    @Test
    void knownValues() {
        var svd = Decompositions.svd(new float[] {0, -2, 3, 0, 0, 0}, 3, 2);
        assertThat(svd.s()).containsExactly(new double[] {3, 2}, within(TOLERANCE));
        assertThat(svd.u()).containsExactly(new double[] {0, 1, 1, 0, 0, 0}, within(TOLERANCE));
        assertThat(svd.vt()).containsExactly(new double[] {1, 0, 0, -1}, within(TOLERANCE));

        var eigen = Decompositions.symmetricEigen(new float[] {2, 1, 1, 2}, 2);
        double r = Math.sqrt(0.5);
        assertThat(eigen.values()).containsExactly(new double[] {3, 1}, within(TOLERANCE));
        assertThat(eigen.vectors()[0]).isCloseTo(r, within(TOLERANCE));
        assertThat(eigen.vectors()[2]).isCloseTo(r, within(TOLERANCE));

        var qr = Decompositions.qr(new float[] {-3, 1, -4, 2}, 2, 2);
        assertThat(qr.r()).containsExactly(new double[] {5, -2.2, 0, 0.4}, within(TOLERANCE));
    }

    @Test
    void valuesMayBeNegativeAndSortByValueNotMagnitude() {
        var eigen = Decompositions.symmetricEigen(new double[] {-5, 0, 0, 2}, 2);
        assertThat(eigen.values()).containsExactly(new double[] {2, -5}, within(TOLERANCE));
    }

    @Test
    void zeroMatrixHasOrthonormalFactors() {
        var svd = Decompositions.svd(new double[12], 4, 3);
        assertThat(svd.s()).containsOnly(0);
        assertOrthonormalColumns(svd.u(), 4, 3);
        assertOrthonormalColumns(transposed(svd.vt(), 3, 3), 3, 3);
        assertOrthonormalColumns(Decompositions.qr(new double[12], 4, 3).q(), 4, 3);
        assertThat(Decompositions.symmetricEigen(new double[9], 3).values()).containsOnly(0);
    }

    @Test
    void zeroColumnsLeaveQrAndSvdSound() {
        double[] a = {0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0};
        var qr = Decompositions.qr(a, 4, 3);
        assertClose(product(qr.q(), qr.r(), 4, 3, 3), a, 4);
        assertOrthonormalColumns(qr.q(), 4, 3);
        var svd = Decompositions.svd(a, 4, 3);
        assertThat(svd.s()).containsExactly(new double[] {Math.sqrt(30), 0, 0}, within(TOLERANCE));
        assertOrthonormalColumns(svd.u(), 4, 3);
    }

    @Test
    void scaleOnlyScales() {
        double[] a = normals(new Random(7), 6 * 4, 1);
        var plain = Decompositions.svd(a, 6, 4);
        for (int exponent : new int[] {-1000, 1000}) {
            double[] scaled = Arrays.stream(a).map(x -> Math.scalb(x, exponent)).toArray();
            var svd = Decompositions.svd(scaled, 6, 4);
            assertThat(svd.u()).isEqualTo(plain.u());
            assertThat(Arrays.stream(svd.s()).map(x -> Math.scalb(x, -exponent)).toArray())
                    .isEqualTo(plain.s());
        }
    }

    @Test
    void sameMatrixSameBitsAndInputUntouched() {
        double[] a = normals(new Random(3), 30 * 20, 1);
        double[] copy = a.clone();
        var first = Decompositions.svd(a, 30, 20);
        var second = Decompositions.svd(a, 30, 20);
        assertThat(second.u()).isEqualTo(first.u());
        assertThat(second.vt()).isEqualTo(first.vt());
        assertThat(second.s()).isEqualTo(first.s());
        Decompositions.qr(a, 30, 20);
        Decompositions.symmetricEigen(new double[] {2, 1, 1, 2}, 2);
        assertThat(a).isEqualTo(copy);
    }

    @Test
    void badInputIsNamed() {
        assertThatThrownBy(() -> Decompositions.svd(new float[5], 2, 3))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("svd: array and sizes do not fit; got 5 entries for (2, 3)");
        assertThatThrownBy(() -> Decompositions.qr(new double[0], 0, 3))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Decompositions.qr(new double[] {1, 2, 3, Double.NaN}, 2, 2))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("NaN at [1, 1]");
        assertThatThrownBy(() -> Decompositions.symmetricEigen(new double[] {1, 2, 3, 4}, 2))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("not symmetric");
    }

    private static double[] normals(Random random, int count, double scale) {
        return random.doubles(count).map(x -> scale * (2 * x - 1)).toArray();
    }

    private static double[] product(double[] a, double[] b, int m, int k, int n) {
        double[] c = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int p = 0; p < k; p++) {
                for (int j = 0; j < n; j++) {
                    c[i * n + j] += a[i * k + p] * b[p * n + j];
                }
            }
        }
        return c;
    }

    private static double[] transposed(double[] a, int rows, int cols) {
        double[] t = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            t[i % cols * rows + i / cols] = a[i];
        }
        return t;
    }

    private static void assertClose(double[] actual, double[] expected, double scale) {
        assertThat(actual).containsExactly(expected, within(scale * TOLERANCE));
    }

    private static void assertOrthonormalColumns(double[] q, int rows, int cols) {
        double[] gram = product(transposed(q, rows, cols), q, cols, rows, cols);
        for (int i = 0; i < gram.length; i++) {
            assertThat(gram[i]).isCloseTo(i / cols == i % cols ? 1 : 0, within(1e-11));
        }
    }

    private static void assertDescending(double[] values) {
        for (int i = 1; i < values.length; i++) {
            assertThat(values[i]).isLessThanOrEqualTo(values[i - 1]);
        }
    }

    private static void assertLargestPositive(double[] m, int rows, int cols) {
        for (int j = 0; j < cols; j++) {
            double largest = 0;
            for (int i = 0; i < rows; i++) {
                double entry = m[i * cols + j];
                largest = Math.abs(entry) > Math.abs(largest) ? entry : largest;
            }
            assertThat(largest).isPositive();
        }
    }
}
