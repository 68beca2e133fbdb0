package io.github.panagrad.engine;

import static io.github.panagrad.engine.Ops.randn;
import static io.github.panagrad.engine.Ops.scope;
import static io.github.panagrad.engine.Ops.tensor;
import static io.github.panagrad.engine.Ops.zeros;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    private static final float NAN = Float.NaN;

    @Test
    void variance() {
        Tensor x = tensor(1, 2, 3, 4).reshape(2, 2);
        assertThat(x.var(true).item()).isCloseTo(5.0 / 3, within(1e-6));
        assertThat(x.var(false).item()).isCloseTo(1.25, within(1e-6));
        assertThat(x.var(0, false, false).toFloats()).containsExactly(1, 1);
        assertThat(x.var(-1, true, true).shape()).isEqualTo(Shape.of(2, 1));
        assertThat(tensor(3).reshape(1).var(true).item()).isNaN();
    }

    @Test
    void norms() {
        Tensor x = tensor(3, 4, 0, 0).reshape(2, 2).requireGrad();
        assertThat(x.norm().item()).isEqualTo(5);
        assertThat(x.norm(1, false).toFloats()).containsExactly(5, 0);
        assertThat(x.norm(1, true).sum().backward().get(x).toFloats())
                .containsExactly(0.6f, 0.8f, 0, 0);
    }

    @Test
    void runningSums() {
        Tensor x = tensor(1, 2, 3, 4, 5, 6).reshape(2, 3);
        assertThat(x.cumsum(1).toFloats()).containsExactly(1, 3, 6, 4, 9, 15);
        assertThat(x.cumsum(0).toFloats()).containsExactly(1, 2, 3, 5, 7, 9);
    }

    @Test
    void sortIsStableAndPutsNanLast() {
        Tensor x = tensor(2, NAN, 1, 2, -0.0, 0.0, 1);
        Ranked up = x.sort(0, false);
        assertThat(up.values().toFloats()).containsExactly(-0f, 0, 1, 1, 2, 2, NAN);
        assertThat(up.indices().toInts()).containsExactly(4, 5, 2, 6, 0, 3, 1);
        Ranked down = x.sort(0, true);
        assertThat(down.indices().toInts()).containsExactly(1, 0, 3, 2, 6, 4, 5);
    }

    @Test
    void topKTakesTheFirstOfASort() {
        Tensor x = randn(Rng.of(4), 3, 200).mul(3);
        Tensor rounded =
                x.sub(x.sub(x.to(io.github.panagrad.engine.ground.DType.I32).to(x.dtype())));
        for (int k : new int[] {0, 1, 5, 24, 26, 200}) {
            Ranked top = rounded.topK(k, 1);
            Ranked sorted = rounded.sort(1, true);
            assertThat(top.values().toFloats())
                    .as("values of the first %d", k)
                    .isEqualTo(sorted.values().narrow(1, 0, k).toFloats());
            assertThat(top.indices().toInts())
                    .as("indices of the first %d", k)
                    .isEqualTo(sorted.indices().narrow(1, 0, k).toInts());
        }
        assertThatThrownBy(() -> x.topK(201, 1))
                .hasMessage(
                        "topK: k out of range for dimension 1 of f32[3,200]; got 201; expected 0 to"
                                + " 200");
    }

    @Test
    void gradientsGoWhereTheValuesCameFrom() {
        Tensor x = tensor(3, 1, 2).requireGrad();
        Tensor weights = tensor(10, 20, 30);
        assertThat(x.sort(0, false).values().mul(weights).sum().backward().get(x).toFloats())
                .containsExactly(30, 10, 20);
        assertThat(x.topK(2, 0).values().mul(tensor(10, 20)).sum().backward().get(x).toFloats())
                .containsExactly(10, 0, 20);
    }

    @Test
    void aRankingOutlivesItsScope() {
        Ranked top = scope(() -> tensor(5, 7, 6).topK(2, 0));
        assertThat(top.values().toFloats()).containsExactly(7, 6);
        assertThat(top.indices().toInts()).containsExactly(1, 2);
    }

    @Test
    void tiesShareTheGradientOfAnExtreme() {
        Tensor x = tensor(2, 5, 5, 1).requireGrad();
        assertThat(x.max().backward().get(x).toFloats()).containsExactly(0, 0.5f, 0.5f, 0);
        assertThat(x.argmax(0, false).item()).isEqualTo(1);
        assertThat(x.argmin(0, false).item()).isEqualTo(3);
        assertThatThrownBy(() -> zeros(2, 0).max(1, false))
                .hasMessageContaining("nothing to choose from");
    }

    @Test
    void bigRankingsNeedNoFullSort() {
        float[] values = new float[50_000];
        IntStream.range(0, values.length).forEach(i -> values[i] = (i * 7919L) % 50_000);
        Ranked top = Ops.tensor(values).topK(3, 0);
        assertThat(top.values().toFloats()).containsExactly(49_999, 49_998, 49_997);
    }
}
