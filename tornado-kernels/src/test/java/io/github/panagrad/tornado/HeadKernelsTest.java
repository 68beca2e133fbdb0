package io.github.panagrad.tornado;

import static io.github.panagrad.tornado.HostComparison.DEVICE;
import static io.github.panagrad.tornado.HostComparison.check;
import static io.github.panagrad.tornado.HostComparison.random;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.OpSuite;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.op.LinearCrossEntropy;
import io.github.panagrad.engine.op.PerTokenHead;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Tape;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Losses of a head in several blocks of tokens, some of them ignored, with every option.
class HeadKernelsTest {
    private static final int TOKENS = 150;
    private static final int DIM = 33;
    private static final int VOCABULARY = 777;
    private static final int IGNORE = -100;

    /// So little that a block has the fewest tokens it may have.
    private static final HeadOptions SMALL = HeadOptions.DEFAULT.memoryBudget(1);

    @BeforeEach
    void clearLog() {
        Backends.clearLog();
    }

    static Stream<HeadOptions> options() {
        return Stream.of(
                HeadOptions.DEFAULT,
                SMALL,
                SMALL.labelSmoothing(0.1),
                SMALL.zLoss(1e-2),
                SMALL.softCap(5).labelSmoothing(0.2).zLoss(1e-2),
                SMALL.filter(1e-3),
                SMALL.filter(2e-3).softCap(5));
    }

    @ParameterizedTest
    @MethodSource("options")
    void addsUpLosses(HeadOptions options) {
        Tensor hidden = random(TOKENS, DIM).mul(0.3);
        Tensor weight = random(VOCABULARY, DIM);
        Tensor weights = random(TOKENS).abs();
        for (int ignored : new int[] {0, 3, 1}) {
            for (boolean gradients : new boolean[] {true, false}) {
                compare(
                        new LinearCrossEntropy(options, gradients, gradients),
                        hidden,
                        weight,
                        targets(ignored),
                        weights);
            }
        }
        compare(new LinearCrossEntropy(options, true, false), hidden, weight, targets(3), weights);
        HostComparison.assertOwnKernels("LinearCrossEntropy");
    }

    /// What the kernels do not know is composed of plain ops on the device, with the same results.
    @Test
    void composesWhatItsKernelsDoNotKnow() {
        Tensor hidden = random(TOKENS, DIM).mul(0.3);
        Tensor weight = random(VOCABULARY, DIM);
        Tensor weights = random(TOKENS).abs();
        for (HeadOptions options :
                new HeadOptions[] {
                    SMALL.filter(HeadFilter.below(1e-2).blocks(8, 16).sorted(true)),
                    SMALL.filter(HeadFilter.below(1e-3).of(true, false)),
                    SMALL.compensate(true, true)
                }) {
            compare(
                    new LinearCrossEntropy(options, true, true),
                    hidden,
                    weight,
                    targets(3),
                    weights);
        }
    }

    /// Compares results only: the gradients are among them.
    private static void compare(LinearCrossEntropy op, Tensor... in) {
        Tensor[] there = new Tensor[in.length];
        for (int i = 0; i < in.length; i++) {
            there[i] = in[i].to(DEVICE);
        }
        Tensor[] expected = Tape.apply(op, in);
        Tensor[] actual = Tape.apply(op, there);
        for (int i = 0; i < expected.length; i++) {
            HostComparison.compare(op + ", result " + i, actual[i], expected[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("options")
    void costsEachToken(HeadOptions options) {
        Tensor hidden = random(TOKENS, DIM).mul(0.3);
        Tensor weight = random(VOCABULARY, DIM);
        for (int ignored : new int[] {0, 3}) {
            for (boolean more : new boolean[] {true, false}) {
                check(new PerTokenHead(options, more, more), hidden, weight, targets(ignored));
            }
        }
        HostComparison.assertOwnKernels("PerTokenHead", "PerTokenHead.Grad");
    }

    @TestFactory
    Stream<DynamicTest> agreesWithTheReference() {
        return Stream.of(LinearCrossEntropy.class, PerTokenHead.class)
                .flatMap(op -> OpSuite.checks(op, DEVICE, 4e-6).stream())
                .map(check -> DynamicTest.dynamicTest(check.name(), check.body()::run));
    }

    @Test
    void namesATargetOutsideOfTheVocabulary() {
        Tensor hidden = random(2, 3).to(DEVICE);
        Tensor weight = random(5, 3).to(DEVICE);
        Tensor targets = Ops.indices(new int[] {4, 5}).to(DEVICE);
        assertThatThrownBy(() ->
                        Tape.apply(
                                new PerTokenHead(HeadOptions.DEFAULT, false, false),
                                hidden,
                                weight,
                                targets))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("target of token 1");
    }

    /// Ignores every token whose number is a multiple; none for 0.
    private static Tensor targets(int ignored) {
        int[] targets = new int[TOKENS];
        for (int i = 0; i < TOKENS; i++) {
            boolean ignore = ignored > 0 && i % ignored == 0;
            targets[i] = ignore ? IGNORE : i * 101 % VOCABULARY;
        }
        return Ops.indices(targets);
    }
}
