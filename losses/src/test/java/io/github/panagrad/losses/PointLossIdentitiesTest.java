package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What ties all functions of ℓ together: at one setting each is ℓ, and their gradients with respect
/// to logits are φ'(ℓ)·(softmax − onehot).
class PointLossIdentitiesTest {
    private static final int ROWS = 5;
    private static final int CLASSES = 7;
    private static final int[] TARGETS = {0, 6, 3, 3, 1};

    private static Tensor logits() {
        double[] drawn = Ops.randn(Rng.of(12), ROWS, CLASSES).mul(2).toDoubles();
        return Ops.tensor64(drawn, ROWS, CLASSES).requireGrad();
    }

    private static Tensor nll(Tensor logits) {
        return Losses.crossEntropy(
                logits,
                Ops.indices(TARGETS, ROWS),
                CrossEntropyOptions.DEFAULT.reduction(Reduction.NONE));
    }

    static Stream<Arguments> thatAreTheNegativeLogLikelihood() {
        return Stream.of(
                plain("focal", l -> NllLosses.focal(l, 0)),
                plain("generalised", l -> NllLosses.generalizedCrossEntropy(l, 1e-9)),
                plain("generalised, limit", l -> NllLosses.generalizedCrossEntropy(l, 0)),
                plain("poly-1", l -> NllLosses.poly1(l, 0)),
                plain("symmetric", l -> NllLosses.symmetricCrossEntropy(l, 1, 0, -4)),
                plain("direct coverage", l -> SequenceLosses.dco(l.neg(), 1)),
                plain(
                        "perplexity-weighted",
                        l -> l.mul(NllLosses.perplexityWeights(l, new int[ROWS], 0, 1e-6, 8))));
    }

    private static Arguments plain(String name, UnaryOperator<Tensor> loss) {
        return arguments(name, loss);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void thatAreTheNegativeLogLikelihood(String name, UnaryOperator<Tensor> loss) {
        Tensor a = logits();
        Tensor b = logits();
        Tensor value = loss.apply(nll(a));
        Tensor expected = nll(b);
        assertThat(value.toDoubles()).containsExactly(expected.toDoubles(), within(1e-6));
        assertThat(value.sum().backward().get(a).toDoubles())
                .containsExactly(expected.sum().backward().get(b).toDoubles(), within(1e-6));
    }

    static Stream<Arguments> thatHaveASlope() {
        return Stream.of(
                sloped("cross-entropy", l -> l, p -> 1),
                sloped("focal 2", l -> NllLosses.focal(l, 2), p -> focal(p, 2)),
                sloped("focal 0.5", l -> NllLosses.focal(l, 0.5), p -> focal(p, 0.5)),
                sloped("poly-1", l -> NllLosses.poly1(l, 2), p -> 1 + 2 * p),
                sloped(
                        "generalised",
                        l -> NllLosses.generalizedCrossEntropy(l, 0.7),
                        p -> Math.pow(p, 0.7)),
                sloped(
                        "truncated",
                        l -> NllLosses.generalizedCrossEntropy(l, 0.7, 0.1),
                        p -> p < 0.1 ? 0 : Math.pow(p, 0.7)),
                sloped(
                        "symmetric",
                        l -> NllLosses.symmetricCrossEntropy(l, 0.1, 1, -4),
                        p -> 0.1 + 4 * p),
                sloped(
                        "direct coverage",
                        l -> SequenceLosses.dco(l.neg(), 8),
                        p -> 8 * p * Math.pow(1 - p, 7) / (1 - Math.pow(1 - p, 8))));
    }

    private static double focal(double p, double gamma) {
        double miss = 1 - p;
        return Math.pow(miss, gamma) - gamma * Math.pow(miss, gamma - 1) * p * Math.log(p);
    }

    private static Arguments sloped(
            String name, UnaryOperator<Tensor> loss, DoubleUnaryOperator slope) {
        return arguments(name, loss, slope);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void thatHaveASlope(String name, UnaryOperator<Tensor> loss, DoubleUnaryOperator slope) {
        Tensor logits = logits();
        double[] p = Ops.softmax(logits.detach(), -1).toDoubles();
        double[] expected = new double[p.length];
        for (int i = 0; i < ROWS; i++) {
            double factor = slope.applyAsDouble(p[i * CLASSES + TARGETS[i]]);
            for (int c = 0; c < CLASSES; c++) {
                int at = i * CLASSES + c;
                expected[at] = factor * (p[at] - (c == TARGETS[i] ? 1 : 0));
            }
        }
        double[] got = loss.apply(nll(logits)).sum().backward().get(logits).toDoubles();
        assertThat(got).containsExactly(expected, within(1e-6));
    }
}
