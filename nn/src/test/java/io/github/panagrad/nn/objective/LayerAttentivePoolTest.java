package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.objective.LayerAttentivePool.Mode;
import io.github.panagrad.nn.objective.LayerAttentivePool.Options;
import java.util.List;
import org.junit.jupiter.api.Test;

class LayerAttentivePoolTest {
    private static final Options BARE = new Options(Mode.STATIC, true, false);
    private static final List<Tensor> STATES = List.of(row(1, 0), row(0, 1), row(1, 1));

    private static Tensor row(double... values) {
        return Ops.tensor64(values, 1, values.length);
    }

    private static LayerAttentivePool pool(int layers, int width, Options options) {
        var pool = new LayerAttentivePool(layers, width, options, Rng.of(1));
        pool.to(DType.F64);
        return pool;
    }

    private static void set(LayerAttentivePool pool, String name, double... values) {
        pool.parameters().get(name).assign(Ops.tensor64(values, values.length));
    }

    @Test
    void hasTheValuesOfItsDefinition() {
        var pool = pool(3, 2, BARE);
        set(pool, "scores", 0, 0, Math.log(2));
        set(pool, "gate", 0.5);

        assertThat(pool.weights()).containsExactly(new double[] {0.25, 0.25, 0.5}, offset(1e-9));
        assertThat(pool.pool(row(1, 1), STATES).toDoubles())
                .containsExactly(new double[] {1.375, 1.375}, offset(1e-9));

        var alone = pool(3, 2, new Options(Mode.STATIC, false, false));
        set(alone, "scores", 0, 0, Math.log(2));
        assertThat(alone.pool(row(1, 1), STATES).toDoubles())
                .containsExactly(new double[] {0.75, 0.75}, offset(1e-9));
    }

    @Test
    void aLargeScoreTakesOneLayerAndAddedConstantsNothing() {
        var pool = pool(3, 2, BARE);
        set(pool, "scores", 0, 0, 40);
        assertThat(pool.weights()).containsExactly(new double[] {0, 0, 1}, offset(1e-12));

        set(pool, "scores", 0.3, -1, 2);
        double[] before = pool.weights();
        set(pool, "scores", 5.3, 4, 7);
        assertThat(pool.weights()).containsExactly(before, offset(1e-12));
    }

    @Test
    void startsAtThePlainState() {
        for (Mode mode : Mode.values()) {
            var pool = pool(3, 2, new Options(mode, true, false));
            assertThat(pool.pool(row(0.3, -2), STATES).toDoubles()).containsExactly(0.3, -2);
        }
    }

    @Test
    void weightsOfTheInputAreThoseOfEachRow() {
        var pool = pool(2, 2, new Options(Mode.INPUT, true, true));
        var states =
                List.of(
                        Ops.tensor64(new double[] {1, 0, 0, 3}, 2, 2),
                        Ops.tensor64(new double[] {0, 1, 2, 2}, 2, 2));
        double[] a = pool.weights(states).toDoubles();

        assertThat(a[0] + a[1]).isCloseTo(1, offset(1e-12));
        assertThat(a[2] + a[3]).isCloseTo(1, offset(1e-12));
        assertThat(Math.abs(a[0] - a[2])).isGreaterThan(1e-3);
        assertThatThrownBy(pool::weights).hasMessageContaining("depend on the row");
        assertThatThrownBy(() -> pool.weights(STATES)).hasMessageContaining("3 states");
    }

    @Test
    void hasTheGradientOfItsValue() {
        for (Mode mode : Mode.values()) {
            for (boolean norm : new boolean[] {false, true}) {
                var pool = pool(3, 4, new Options(mode, true, norm));
                set(pool, "gate", 0.6);
                var states = List.of(row(1, 0, 2, 1), row(0, 1, -1, 0.5), row(1, 1, 0.2, -0.7));
                Tensor last = row(0.1, -1, 2, 0.4);
                Encoders.assertGradients(
                        pool, () -> pool.pool(last, states).mul(row(1, 2, -1, 0.5)).square().sum());
            }
        }
    }
}
