package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.examples.Assets;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.optim.Sgd;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
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
                .extracting(c -> c.start() + " " + c.name().split(" ")[0])
                .containsExactly(
                        "trained exact",
                        "fresh exact",
                        "trained entries",
                        "fresh entries",
                        "trained blocks",
                        "fresh blocks");
        double[] exact = curves.get(0).losses();
        for (int k : new int[] {2, 4}) {
            double[] filtered = curves.get(k).losses();
            for (int i = 0; i < exact.length; i++) {
                assertThat(filtered[i]).isCloseTo(exact[i], offset(0.01));
            }
        }
        assertThat(curves.get(3).dropped()[0]).isGreaterThan(0.3);
        assertThat(curves.get(3).tenth(9)).isGreaterThan(curves.get(1).tenth(9) + 0.01);
        assertThat(CutCrossEntropyDemo.curveTable(curves)).contains("fresh", "dropped");
    }

    private static CutCrossEntropyDemo of(String model, int steps) throws IOException {
        String text = Files.readString(Assets.require("datasets/tinystories/sample.txt"));
        return CutCrossEntropyDemo.of(
                CausalLM.load(Assets.require("models/" + model)),
                text.substring(0, 8000),
                1024,
                128,
                steps);
    }

    /// The section's own measure: 200 steps from trained weights, less than 0.01 nats apart.
    @Test
    void theHeadOfARealModelLearnsAlike() throws IOException {
        var curves = of("stories260k", 200).curves(HeadFilter.thresholdOf(DType.BF16));
        for (int tenth = 0; tenth < 10; tenth++) {
            double exact = curves.get(0).tenth(tenth);
            assertThat(curves.get(2).tenth(tenth)).isCloseTo(exact, offset(0.01));
            assertThat(curves.get(4).tenth(tenth)).isCloseTo(exact, offset(0.01));
        }
    }

    private static double mean(CutCrossEntropyDemo.Curve curve) {
        return Arrays.stream(curve.losses()).average().orElseThrow();
    }

    /// The first tenth of 200 steps over 32000 entries, where the loss falls fastest. With the threshold
    /// of BF16, entries looked at one by one fall behind by more than 0.01 nats: AdamW makes the small
    /// gradients of rare entries as large as others. What was published, blocks of a sorted vocabulary,
    /// stays within; so does gradient descent in any case, and nothing is lost with the threshold of F32.
    @Test
    void beginningsFallBehindOnlyEntryByEntryAndByAdam() throws IOException {
        var demo = of("stories15m", 20);
        HeadFilter published = HeadOptions.CUT.filter();
        HeadFilter each = HeadFilter.below(HeadFilter.thresholdOf(DType.BF16));
        var entries = HeadOptions.DEFAULT.filter(each);
        var blocks =
                HeadOptions.DEFAULT.filter(
                        each.blocks(published.tokens(), published.entries()).sorted(true));
        Function<Parameter, Optimizer> adam = w -> AdamW.of(List.of(w)).lr(1e-3).weightDecay(0);
        double exact = mean(demo.onward("exact", HeadOptions.DEFAULT, adam));
        assertThat(mean(demo.onward("entries", entries, adam)) - exact).isBetween(0.01, 0.05);
        assertThat(mean(demo.onward("blocks", blocks, adam))).isCloseTo(exact, offset(0.01));
        assertThat(mean(demo.onward("auto", HeadOptions.CUT, adam))).isCloseTo(exact, offset(1e-4));
        Function<Parameter, Optimizer> descent = w -> Sgd.of(List.of(w)).lr(3e-3);
        double plain = mean(demo.onward("exact", HeadOptions.DEFAULT, descent));
        assertThat(mean(demo.onward("entries", entries, descent))).isCloseTo(plain, offset(1e-3));
    }

    @Test
    void costsHaveFigures() {
        List<CutCrossEntropyDemo.Cost> costs = demo().costs();
        assertThat(costs).hasSize(8).allMatch(c -> c.milliseconds() > 0);
        assertThat(costs.get(1).dropped()).isZero();
        assertThat(CutCrossEntropyDemo.costTable(costs)).contains("composed", "2^-12");
    }
}
