package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.DistillOptions.Direction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HeadDistillationTest {
    private static final int TOKENS = 7;
    private static final int VOCABULARY = 11;
    private static final Tensor P =
            rows(1, Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05));

    /// Room for the logits of two tokens.
    private static final DistillOptions IN_PIECES =
            DistillOptions.DEFAULT.memoryBudget(2L * VOCABULARY * Double.BYTES);

    private static Tensor rows(int rows, double... values) {
        return Ops.tensor64(values, rows, values.length / rows).to(Device.REFERENCE);
    }

    private static Tensor random(long seed, int... dims) {
        return Ops.randn(Rng.of(seed), dims).to(DType.F64).to(Device.REFERENCE);
    }

    private static Tensor identity(int n) {
        return Ops.eye(n).to(DType.F64).to(Device.REFERENCE);
    }

    /// Distils free logits: hidden states whose head is the identity.
    private static Tensor ofLogits(Tensor student, Tensor teacher, DistillOptions options) {
        Tensor head = identity(student.dim(1));
        return HeadDistillation.perToken(student, head, teacher, head, options);
    }

    private static Tensor dense(Tensor student, Tensor teacher, DistillOptions options) {
        double t = options.temperature();
        Tensor mine = student.div(t);
        Tensor theirs = teacher.div(t);
        Tensor classes = options.classes();
        Tensor rows =
                switch (options.direction()) {
                    case FORWARD ->
                            classes == null
                                    ? DistributionLosses.forwardKl(mine, theirs)
                                    : DistributionLosses.maskedKl(mine, theirs, classes);
                    case REVERSE -> DistributionLosses.reverseKl(mine, theirs);
                    case SYMMETRIC -> DistributionLosses.jensenShannon(mine, theirs);
                };
        return rows.mul(t * t);
    }

    private static void agreesWithDense(DistillOptions options) {
        Tensor hidden = random(1, TOKENS, 5).requireGrad();
        Tensor head = random(2, VOCABULARY, 5).requireGrad();
        Tensor theirs = random(3, TOKENS, 4).requireGrad();
        Tensor theirHead = random(4, VOCABULARY, 4).requireGrad();
        Tensor weights = random(5, TOKENS);
        Tensor pieces = HeadDistillation.perToken(hidden, head, theirs, theirHead, options);
        Tensor whole =
                dense(
                        hidden.matmul(head.transpose()),
                        theirs.matmul(theirHead.transpose()),
                        options);
        assertThat(pieces.toDoubles()).containsExactly(whole.toDoubles(), offset(1e-9));

        Grads found = pieces.mul(weights).sum().backward();
        Grads expected = whole.mul(weights).sum().backward();
        for (Tensor x : new Tensor[] {hidden, head}) {
            assertThat(found.get(x).toDoubles())
                    .containsExactly(expected.get(x).toDoubles(), offset(1e-9));
            assertThat(found.get(x).norm().item()).isGreaterThan(1e-3);
        }
        assertThat(found.find(theirs)).isEmpty();
        assertThat(found.find(theirHead)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    void piecesAgreeWithWholeLogits(Direction direction) {
        agreesWithDense(IN_PIECES.direction(direction).temperature(2));
    }

    @Test
    void maskedPiecesAgreeWithWholeLogits() {
        double[] some = new double[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
            some[i] = i % 3 == 0 ? 0 : 1;
        }
        agreesWithDense(IN_PIECES.classes(rows(1, some).reshape(VOCABULARY)));
    }

    @Test
    void hasTheFiguresOfDistillation() {
        Tensor student = rows(1, 1, 0, 0).requireGrad();
        Tensor teacher = rows(1, 2, 1, 0);
        Tensor loss = ofLogits(student, teacher, DistillOptions.DEFAULT.temperature(2));
        assertThat(loss.at(0)).isCloseTo(0.0837809, offset(1e-6));
        assertThat(loss.sum().backward().get(student).toDoubles())
                .containsExactly(new double[] {-0.109235, -0.066255, 0.175490}, offset(1e-6));
        assertThat(ofLogits(teacher, teacher, DistillOptions.DEFAULT).at(0))
                .isCloseTo(0, offset(1e-12));
    }

    @Test
    void hasTheFiguresOfTheMaskedDivergence() {
        Tensor uniform = rows(1, 0, 0, 0, 0).requireGrad();
        Tensor rest = rows(1, 0, 1, 1, 1).reshape(4);
        var masked = DistillOptions.DEFAULT.classes(rest);
        Tensor loss = ofLogits(uniform, P, masked);
        assertThat(loss.at(0)).isCloseTo(-0.102399, offset(1e-6));
        assertThat(loss.sum().backward().get(uniform).toDoubles())
                .containsExactly(new double[] {0.125, -0.175, -0.025, 0.075}, offset(1e-9));

        // M ln M + M·KL(renormalised) − M ln Θ
        double m = HeadDistillation.mass(P, identity(4), rest, 1).at(0);
        double theta = HeadDistillation.mass(uniform, identity(4), rest, 1).at(0);
        double renormalised =
                DistributionLosses.forwardKl(rows(1, 0, 0, 0), P.narrow(1, 1, 3)).at(0);
        assertThat(renormalised).isCloseTo(0.200667, offset(1e-6));
        assertThat(m * Math.log(m) + m * renormalised - m * Math.log(theta))
                .isCloseTo(-0.102399, offset(1e-6));

        Tensor all = rows(1, 1, 1, 1, 1).reshape(4);
        assertThat(ofLogits(uniform, P, DistillOptions.DEFAULT.classes(all)).at(0))
                .isCloseTo(0.244174, offset(1e-6));
    }

    @Test
    void theMaskedDivergencePushesEvenWhereBothAgree() {
        Tensor same = P.requireGrad();
        var masked = DistillOptions.DEFAULT.classes(rows(1, 0, 1, 1, 1).reshape(4));
        Tensor loss = ofLogits(same, P, masked);
        assertThat(loss.at(0)).isCloseTo(0, offset(1e-12));
        assertThat(loss.sum().backward().get(same).toDoubles())
                .containsExactly(
                        new double[] {0.5 * 0.5, -0.5 * 0.3, -0.5 * 0.15, -0.5 * 0.05},
                        offset(1e-9));

        Tensor free = rows(1, 0, 0, 0, 0);
        for (int i = 0; i < 300; i++) {
            Tensor x = free.requireGrad();
            free = x.detach().sub(ofLogits(x, P, masked).sum().backward().get(x));
        }
        assertThat(ofLogits(free, P, masked).at(0))
                .isCloseTo(0.5 * Math.log(0.5), offset(0.003))
                .isGreaterThan(0.5 * Math.log(0.5));
    }

    @Test
    void refusesWhatDoesNotFit() {
        Tensor x = random(1, 3, 4);
        assertThatThrownBy(() ->
                        HeadDistillation.perToken(
                                x, random(2, 5, 4), x, random(2, 6, 4), DistillOptions.DEFAULT))
                .hasMessageContaining("the same vocabulary");
        assertThatThrownBy(() -> DistillOptions.DEFAULT.temperature(0))
                .hasMessageContaining("above 0");
        assertThatThrownBy(() ->
                        DistillOptions.DEFAULT.direction(Direction.REVERSE).classes(rows(1, 1, 1)))
                .hasMessageContaining("FORWARD");
    }
}
