package io.github.panagrad.adapters.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MergeTest {
    private static Delta delta(double... values) {
        return Delta.of(Map.of("w", DenseDelta.of(Ops.tensor(values))));
    }

    private static float[] values(Delta delta) {
        TensorDelta change = delta.changes().get("w");
        assertThat(change).isNotNull();
        return change.dense().toFloats();
    }

    @Test
    void sumsAndAverages() {
        var deltas = List.of(delta(1, 2, 0), delta(3, -2, 0));
        assertThat(values(Merge.sum(deltas))).containsExactly(4, 0, 0);
        assertThat(values(Merge.average(deltas))).containsExactly(2, 0, 0);
    }

    /// Worked by hand: with half of the entries kept, τ₁ = (3, 0, 0, −4), τ₂ = (−1, 2, 0, 0),
    /// τ₃ = (0, 1, 0, −2); the signs are (+, +, none, −).
    @Test
    void tiesTrimsElectsAndTakesTheMeanOfThoseThatAgree() {
        var deltas = List.of(delta(3, .5, .1, -4), delta(-1, 2, .3, .2), delta(.5, 1, .1, -2));
        assertThat(values(Merge.ties(deltas, .5))).containsExactly(3, 1.5f, 0, -3);
        assertThat(values(Merge.ties(List.of(delta(1, -2)), 1))).containsExactly(1, -2);
    }

    /// The threshold is over all parameters of a change together.
    @Test
    void tiesTrimsOverAllParameters() {
        Tensor large = Ops.tensor(5, 6);
        Tensor small = Ops.tensor(1, 2);
        var one = Delta.of(Map.of("a", DenseDelta.of(large), "b", DenseDelta.of(small)));
        Delta merged = Merge.ties(List.of(one), .5);
        assertThat(merged.changes().get("a")).isNotNull();
        assertThat(merged.changes().get("b")).isNotNull();
        assertThat(merged.changes().get("a").dense().toFloats()).containsExactly(5, 6);
        assertThat(merged.changes().get("b").dense().toFloats()).containsExactly(0, 0);
    }

    /// Worked by hand, λ = ½: entry 0 matters to both (1 ≥ ½·1); of entry 1, only to the first
    /// (4 ≥ ½·1, 1 < ½·4); entry 2 to the second alone.
    @Test
    void consensusKeepsWhatMattersToSeveral() {
        var deltas = List.of(delta(1, 4, 0), delta(1, 1, 3));
        assertThat(values(Merge.consensus(deltas, 2, .5))).containsExactly(2, 0, 0);
        assertThat(values(Merge.consensus(deltas, 1, .5))).containsExactly(2, 5, 3);
    }

    @Test
    void takesParametersThatOnlySomeChange() {
        var other = Delta.of(Map.of("v", DenseDelta.of(Ops.tensor(7, 8))));
        for (Delta merged :
                List.of(
                        Merge.sum(List.of(delta(1, 2), other)),
                        Merge.ties(List.of(delta(1, 2), other), 1),
                        Merge.consensus(List.of(delta(1, 2), other), 1, .4))) {
            assertThat(values(merged)).containsExactly(1, 2);
            assertThat(merged.changes()).containsOnlyKeys("w", "v");
        }
    }

    @Test
    void refusesWhatCannotBeMerged() {
        assertThatThrownBy(() -> Merge.sum(List.of()))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("nothing to merge");
        assertThatThrownBy(() -> Merge.ties(List.of(delta(1, 2), delta(1, 2, 3)), .2))
                .hasMessageContaining("shapes differ at w");
        assertThatThrownBy(() -> Merge.ties(List.of(delta(1, 2)), 0))
                .hasMessageContaining("density");
        assertThatThrownBy(() -> Merge.consensus(List.of(delta(1, 2)), 2, .4))
                .hasMessageContaining("1 to 1 tasks");
    }
}
