package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Half;
import io.github.panagrad.engine.ground.SegmentStorage;
import io.github.panagrad.engine.ground.ShapeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Strided copies, narrowing, and rows by index.
class MoveTest {
    @Test
    void copiesEveryOrderOfTheDimensions() {
        int[][] orders = {
            {0, 1, 2, 3},
            {0, 2, 1, 3},
            {0, 1, 3, 2},
            {3, 2, 1, 0},
            {1, 0, 3, 2},
            {2, 3, 0, 1},
            {3, 0, 1, 2},
            {0, 3, 1, 2}
        };
        Draws.each(
                120,
                draws -> {
                    int[] from = {
                        draws.between(1, 3),
                        draws.between(1, 40),
                        draws.between(1, 5),
                        draws.positiveLength()
                    };
                    int gap = draws.between(0, 3) == 0 ? 2 : 1;
                    int[] strides = new int[4];
                    int stride = gap;
                    for (int d = 3; d >= 0; d--) {
                        strides[d] = stride;
                        stride *= from[d];
                    }
                    int[] order = orders[draws.between(0, orders.length - 1)];
                    int[] shape = new int[4];
                    int[] moved = new int[4];
                    for (int d = 0; d < 4; d++) {
                        shape[d] = from[order[d]];
                        moved[d] = strides[order[d]];
                    }
                    float[] x = draws.normal(1 + stride, 1);
                    double[] exact = new double[stride / gap];
                    int at = 0;
                    for (int a = 0; a < shape[0]; a++) {
                        for (int b = 0; b < shape[1]; b++) {
                            for (int c = 0; c < shape[2]; c++) {
                                for (int d = 0; d < shape[3]; d++) {
                                    exact[at++] =
                                            x[
                                                    1
                                                            + a * moved[0]
                                                            + b * moved[1]
                                                            + c * moved[2]
                                                            + d * moved[3]];
                                }
                            }
                        }
                    }
                    float[] y = Close.guarded(exact.length + 3);
                    StridedCopy.copy(StridedWalk.over(shape, moved), x, 1, y, 2);
                    Close.check("copy " + Arrays.toString(order), y, 2, exact, 0);
                });
    }

    @Test
    void narrowsToTheNearestTiesToEven() {
        Draws.each(
                20,
                draws -> {
                    int n = draws.length();
                    float[] x = draws.normal(n + 1, 100);
                    for (int i = 0; i < n; i++) {
                        if (draws.between(0, 3) == 0) {
                            // A tie: the upper half and exactly half of its last place.
                            int upper = Float.floatToRawIntBits(x[1 + i]) & 0xFFFF0000;
                            x[1 + i] = Float.intBitsToFloat(upper | 0x8000);
                        }
                    }
                    if (n > 3) {
                        x[2] = Float.intBitsToFloat(0x7F800001);
                        x[3] = Float.POSITIVE_INFINITY;
                        x[4] = Float.MAX_VALUE;
                    }
                    try (Arena arena = Arena.ofConfined()) {
                        MemorySegment s = arena.allocate(2L * n + 4);
                        Narrow.run(DType.BF16, x, 1, s, 1, n);
                        for (int i = 0; i < n; i++) {
                            assertThat(s.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * (i + 1)))
                                    .isEqualTo(Half.floatToBf16(x[1 + i]));
                        }
                        assertThat(s.get(ValueLayout.JAVA_SHORT, 0)).isZero();
                        assertThat(s.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * n + 2)).isZero();
                        float[] back = new float[n];
                        Narrow.run(DType.F16, x, 1, s, 1, n);
                        Widen.run(DType.F16, s, 1, back, 0, n);
                        for (int i = 0; i < n; i++) {
                            short half = Float.floatToFloat16(x[1 + i]);
                            assertThat(Float.compare(back[i], Float.float16ToFloat(half))).isZero();
                        }
                        Narrow.run(DType.I8, x, 1, s, 1, n);
                        Widen.run(DType.I8, s, 1, back, 0, n);
                        for (int i = 0; i < n; i++) {
                            assertThat(back[i]).isEqualTo((byte) x[1 + i]);
                        }
                    }
                });
    }

    @Test
    void picksRowsAndAddsThemUp() {
        Draws.each(
                100,
                draws -> {
                    int outer = draws.between(1, 3);
                    int n = draws.between(1, 9);
                    int k = draws.between(0, 4) == 0 ? draws.between(100, 600) : draws.length();
                    int inner = draws.positiveLength();
                    int[] index = draws.integers(k + 1, n);
                    float[] x = draws.normal(1 + outer * n * inner, 1);
                    float[] d = draws.normal(2 + outer * k * inner, 1);
                    double[] picked = new double[outer * k * inner];
                    double[] added = new double[outer * n * inner];
                    for (int i = 0; i < picked.length; i++) {
                        int o = i / (k * inner);
                        int from = (o * n + index[1 + i / inner % k]) * inner + i % inner;
                        picked[i] = x[1 + from];
                        added[from] += d[2 + i];
                    }
                    float[] y = Close.guarded(picked.length + 2);
                    IndexedRows.select(x, 1, index, 1, y, 1, outer, n, k, inner);
                    Close.check("select", y, 1, picked, 0);
                    float[] sums = Close.guarded(added.length + 2);
                    IndexedRows.add(d, 2, index, 1, sums, 1, outer, n, k, inner);
                    Close.check("add", sums, 1, added, 2e-6);
                });
    }

    @Test
    void picksStoredRows() {
        float[] x = {1, 2, 3, 4, 5, 6, 7};
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment s = arena.allocate(14);
            Narrow.run(DType.BF16, x, 0, s, 0, 7);
            float[] y = new float[4];
            var storage = SegmentStorage.of(DType.BF16, 7, s);
            IndexedRows.select(storage, 1, new int[] {2, 0}, 0, y, 0, 1, 3, 2, 2);
            assertThat(y).containsExactly(6, 7, 2, 3);
        }
    }

    @Test
    void gathersAndScattersElements() {
        Draws.each(
                100,
                draws -> {
                    int outer = draws.between(1, 3);
                    int n = draws.between(1, 9);
                    int k = draws.length();
                    int inner = draws.coin() ? 1 : draws.between(1, 20);
                    int[] index = draws.integers(1 + outer * k * inner, n);
                    float[] x = draws.normal(1 + outer * n * inner, 1);
                    float[] d = draws.normal(2 + outer * k * inner, 1);
                    double[] picked = new double[outer * k * inner];
                    double[] added = new double[outer * n * inner];
                    for (int i = 0; i < picked.length; i++) {
                        int from = (i / (k * inner) * n + index[1 + i]) * inner + i % inner;
                        picked[i] = x[1 + from];
                        added[from] += d[2 + i];
                    }
                    float[] y = Close.guarded(picked.length + 2);
                    IndexedRows.gather(x, 1, index, 1, y, 1, outer, n, k, inner);
                    Close.check("gather", y, 1, picked, 0);
                    float[] sums = Close.guarded(added.length + 2);
                    IndexedRows.scatterAdd(d, 2, index, 1, sums, 1, outer, n, k, inner);
                    Close.check("scatterAdd", sums, 1, added, 2e-6);
                });
    }

    @Test
    void anIndexOutOfRangeIsNamed() {
        int[] bad = {0, 3};
        float[] x = new float[6];
        assertThatThrownBy(() -> IndexedRows.select(x, 0, bad, 0, x, 0, 1, 3, 2, 2))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("indexSelect: index out of range; got 3; expected 0 to 2");
        assertThatThrownBy(() -> IndexedRows.add(x, 0, bad, 0, x, 0, 1, 3, 2, 2))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> IndexedRows.gather(x, 0, bad, 0, x, 0, 1, 3, 2, 1))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> IndexedRows.scatterAdd(x, 0, bad, 0, x, 0, 1, 3, 2, 1))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void sameBitsForAnyNumberOfThreads() {
        Draws.each(
                2,
                draws -> {
                    int k = 3000;
                    int inner = 65;
                    int[] index = draws.integers(k, 40);
                    float[] d = draws.normal(k * inner, 1);
                    var both =
                            Draws.withOneAndThreeThreads(() -> {
                                float[] y = new float[2000 * inner];
                                IndexedRows.add(d, 0, index, 0, y, 0, 1, 2000, k, inner);
                                return y;
                            });
                    assertThat(both.get(1)).isEqualTo(both.get(0));
                });
    }
}
