package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.Device;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class DistributionLossesTest {
    private static final double[] OTHER = {0.3, -1, 2, 0.1, 1, -0.5};
    private static final Map<String, Function<Tensor, Tensor>> ALL = new LinkedHashMap<>();

    static {
        Tensor other = rows(2, OTHER);
        Tensor soft = Ops.softmax(other, -1);
        Tensor some = on(1, 0, 1);
        ALL.put("soft targets", x -> DistributionLosses.softTargetCrossEntropy(x, soft));
        ALL.put("forward", x -> DistributionLosses.forwardKl(x, other));
        ALL.put("reverse", x -> DistributionLosses.reverseKl(x, other));
        ALL.put("jensenShannon", x -> DistributionLosses.jensenShannon(x, other));
        ALL.put("distillation", x -> DistributionLosses.distillation(x, other, 3));
        ALL.put("masked", x -> DistributionLosses.maskedKl(x, other, some));
    }

    private static Tensor on(double... values) {
        return Ops.tensor64(values, values.length).to(Device.REFERENCE);
    }

    private static Tensor rows(int rows, double... values) {
        return on(values).reshape(rows, values.length / rows);
    }

    @Test
    void haveTheValuesOfTheirDefinitions() {
        assertThat(
                        DistributionLosses.softTargetCrossEntropy(
                                        rows(1, 1, 0, -1), rows(1, 0.3, 0.7, 0))
                                .at(0))
                .isCloseTo(1.107606, offset(1e-6));
        Tensor p = rows(1, Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05));
        Tensor uniform = rows(1, 0, 0, 0, 0);
        assertThat(DistributionLosses.forwardKl(uniform, p).at(0))
                .isCloseTo(0.244174, offset(1e-6));
        assertThat(DistributionLosses.reverseKl(p, uniform).at(0))
                .isCloseTo(0.244174, offset(1e-6));
        assertThat(DistributionLosses.maskedKl(uniform, p, on(0, 1, 1, 1)).at(0))
                .isCloseTo(-0.102399, offset(1e-6));
        double half =
                0.5 * (0.8 * Math.log(0.8 / 0.65) + 0.2 * Math.log(0.2 / 0.35))
                        + 0.5 * (0.5 * Math.log(0.5 / 0.65) + 0.5 * Math.log(0.5 / 0.35));
        assertThat(
                        DistributionLosses.jensenShannon(
                                        rows(1, Math.log(0.8), Math.log(0.2)), rows(1, 0, 0))
                                .at(0))
                .isCloseTo(half, offset(1e-9));
    }

    @Test
    void vanishWhereBothAgree() {
        Tensor x = rows(2, OTHER);
        for (String name : new String[] {"forward", "reverse", "jensenShannon", "distillation"}) {
            assertThat(ALL.get(name).apply(x).toDoubles())
                    .as(name)
                    .containsExactly(new double[2], offset(1e-12));
        }
    }

    @Test
    void forwardDivergenceIsCrossEntropyLessEntropy() {
        Tensor x = rows(2, 0.5, 1, -1, 2, -0.3, 0.7);
        Tensor q = Ops.softmax(rows(2, OTHER), -1);
        double[] kl = ALL.get("forward").apply(x).toDoubles();
        double[] crossed = ALL.get("soft targets").apply(x).toDoubles();
        double[] entropy = q.mul(q.log()).sum(-1, false).neg().toDoubles();
        for (int i = 0; i < 2; i++) {
            assertThat(crossed[i] - entropy[i]).isCloseTo(kl[i], offset(1e-12));
        }
    }

    /// Hinton et al., section 2.1: at a high temperature distillation matches centred logits.
    @Test
    void hotDistillationMatchesLogits() {
        Tensor student = rows(1, 1, 0, -2);
        Tensor teacher = rows(1, 0.5, 2, -1);
        double[] gap = {-0.5, 2, 1};
        double mean = 2.5 / 3;
        double expected = 0;
        for (double g : gap) {
            expected += (g - mean) * (g - mean) / 6;
        }
        assertThat(DistributionLosses.distillation(student, teacher, 1e4).at(0))
                .isCloseTo(expected, offset(1e-3));
        assertThat(DistributionLosses.distillation(student, teacher, 1).at(0))
                .isEqualTo(DistributionLosses.forwardKl(student, teacher).at(0));
    }

    @Test
    void certainTeachersAskForTheirClassAlone() {
        Tensor student = rows(1, 1, 0, -1);
        double likely = Ops.logSoftmax(student, -1).at(0, 0);
        assertThat(DistributionLosses.forwardKl(student, rows(1, 300, 0, 0)).at(0))
                .isCloseTo(-likely, offset(1e-9));
        // The other way round, what the teacher finds impossible costs as much as it does.
        assertThat(DistributionLosses.reverseKl(student, rows(1, 300, 0, 0)).at(0))
                .isGreaterThan(50);
    }

    @Test
    void jensenShannonIsSymmetricAndBounded() {
        Tensor far = rows(1, 100, 0, -100);
        Tensor other = rows(1, -100, 0, 100);
        double there = DistributionLosses.jensenShannon(far, other).at(0);

        assertThat(there).isCloseTo(Math.log(2), offset(1e-9));
        assertThat(DistributionLosses.jensenShannon(other, far).at(0))
                .isCloseTo(there, offset(1e-12));
    }

    @Test
    void maskedGradientPushesTheClassesLeftOutDown() {
        Tensor p = rows(1, Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05));
        Tensor x = rows(1, 0, 0, 0, 0).requireGrad();
        Tensor gradient = DistributionLosses.maskedKl(x, p, on(0, 1, 1, 1)).sum().backward().get(x);

        assertThat(gradient.toDoubles())
                .containsExactly(new double[] {0.125, -0.175, -0.025, 0.075}, offset(1e-9));
    }

    @Test
    void haveTheGradientsOfTheirValues() {
        ALL.forEach((name, loss) -> {
            double error =
                    GradCheck.maxError(
                            in -> new Tensor[] {loss.apply(in[0])},
                            new Tensor[] {rows(2, 0.5, 1, -1, 2, -0.3, 0.7)},
                            new boolean[] {true});
            assertThat(error).as(name).isLessThan(1e-6);
        });
    }

    @Test
    void refuseWhatDoesNotFit() {
        assertThatThrownBy(() -> DistributionLosses.forwardKl(rows(1, 1, 2), rows(1, 1, 2, 3)))
                .hasMessageContaining("distributions do not fit");
        assertThatThrownBy(() -> DistributionLosses.distillation(rows(1, 1), rows(1, 1), 0))
                .hasMessageContaining("temperature");
    }
}
