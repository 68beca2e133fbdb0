package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CutCrossEntropyDemoTest {
    private static final int VOCABULARY = 2000;

    /// States that point at their targets' rows of the head, so that the head is a trained one.
    private static CutCrossEntropyDemo demo() {
        Tensor head = Ops.randn(Rng.of(1), VOCABULARY, 16).detach();
        int[] targets = new int[256];
        Arrays.setAll(targets, i -> i * 131 % VOCABULARY);
        Tensor hidden = head.indexSelect(0, Ops.indices(targets)).detach();
        return new CutCrossEntropyDemo(hidden, head, targets, 64, 40);
    }

    @Test
    void aFilterIsHarmlessOnATrainedHeadAndHoldsUpAFreshOne() {
        List<CutCrossEntropyDemo.Curve> curves = demo().curves(1.5 / VOCABULARY);
        assertThat(curves)
                .extracting(c -> c.start() + " " + c.name().charAt(0))
                .containsExactly("trained e", "fresh e", "trained b", "fresh b");
        double[] exact = curves.get(0).losses();
        double[] filtered = curves.get(2).losses();
        for (int i = 0; i < exact.length; i++) {
            assertThat(filtered[i]).isCloseTo(exact[i], offset(0.01));
        }
        assertThat(curves.get(3).dropped()[0]).isGreaterThan(0.3);
        assertThat(curves.get(3).tenth(9)).isGreaterThan(curves.get(1).tenth(9) + 0.01);
        assertThat(CutCrossEntropyDemo.curveTable(curves)).contains("fresh", "dropped");
    }

    @Test
    void costsHaveFigures() {
        List<CutCrossEntropyDemo.Cost> costs = demo().costs();
        assertThat(costs).hasSize(8).allMatch(c -> c.milliseconds() > 0);
        assertThat(costs.get(1).dropped()).isZero();
        assertThat(CutCrossEntropyDemo.costTable(costs)).contains("composed", "2^-12");
    }
}
