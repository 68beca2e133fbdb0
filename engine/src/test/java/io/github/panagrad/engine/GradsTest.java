package io.github.panagrad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class GradsTest {
    private final Parameter a = Ops.parameter("a", Ops.tensor(1, 2, 3));
    private final Parameter b = Ops.parameter("b", Ops.tensor(4, 5, 6));

    @Test
    void accumulatingAddsUpLikePlus() {
        Grads first = a.mul(b).sum().backward();
        Grads second = a.square().sum().backward();
        Grads third = a.mul(b).mul(b).sum().backward();
        Grads expected = first.plus(second).plus(third);
        float[] forA = expected.get(a).toFloats();
        float[] forB = expected.get(b).toFloats();
        Grads sum = first.accumulate(second).accumulate(third);
        assertThat(sum.get(a).toFloats()).isEqualTo(forA);
        assertThat(sum.get(b).toFloats()).isEqualTo(forB);
        assertThat(sum.size()).isEqualTo(2);
    }

    @Test
    void accumulatingReusesMemory() {
        Grads first = a.mul(b).sum().backward();
        var memory = first.get(a).storage();
        Grads sum = first.accumulate(a.mul(b).sum().backward());
        assertThat(sum.get(a).storage()).isSameAs(memory);
    }

    /// The terms of a sum have one gradient between them: added to in place for one leaf, it would be
    /// wrong for the other.
    @Test
    void gradientsThatTwoLeavesShareAreNotOverwritten() {
        Tensor dy = Ops.tensor(1, 1, 1);
        Grads first = a.add(b).backward(dy);
        Grads sum = first.accumulate(a.mul(2).add(b.mul(10)).backward(Ops.tensor(1, 1, 1)));
        assertThat(sum.get(a).toFloats()).containsOnly(3);
        assertThat(sum.get(b).toFloats()).containsOnly(11);
        assertThat(dy.toFloats()).containsOnly(1);
    }

    @Test
    void leavesOfEitherSideAreKept() {
        Grads sum = a.sum().backward().accumulate(b.mul(3).sum().backward());
        assertThat(sum.get(a).toFloats()).containsOnly(1);
        assertThat(sum.get(b).toFloats()).containsOnly(3);
    }

    @Test
    void normIsThatOfAllAndTheSameEachTime() {
        Grads grads = a.mul(b).sum().backward();
        double expected = Math.sqrt(1 + 4 + 9 + 16 + 25 + 36);
        assertThat(grads.norm()).isCloseTo(expected, within(1e-6));
        for (int i = 0; i < 20; i++) {
            assertThat(a.mul(b).sum().backward().norm()).isEqualTo(grads.norm());
        }
        assertThat(grads.clipNorm(1).norm()).isCloseTo(1, within(1e-5));
        assertThat(grads.clipNorm(100)).isSameAs(grads);
    }
}
