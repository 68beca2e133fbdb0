package io.github.panagrad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ParameterLendTest {
    private final Parameter p = Ops.parameter("p", Ops.tensor(1, 2, 3));
    private final Parameter other = Ops.parameter("other", Ops.tensor(5, 5, 5));

    @Test
    void hasOtherValuesForATimeAndRecordsNothing() {
        Tensor before = p.square().sum();
        long version = p.version();
        Tensor inside = Parameter.lend(Map.of(p, other), () -> p.mul(2));
        assertThat(inside.toFloats()).containsExactly(10, 10, 10);
        assertThat(inside.requiresGrad()).isFalse();
        assertThat(p.toFloats()).containsExactly(1, 2, 3);
        assertThat(p.version()).isEqualTo(version);
        assertThat(before.backward().get(p).toFloats()).containsExactly(2, 4, 6);
        assertThat(other.toFloats()).containsExactly(5, 5, 5);
    }

    @Test
    void getsItsOwnBackAfterAnError() {
        assertThatThrownBy(() ->
                        Parameter.lend(
                                Map.of(p, other),
                                () -> {
                                    throw new IllegalStateException("body");
                                }))
                .hasMessage("body");
        assertThat(p.toFloats()).containsExactly(1, 2, 3);
    }

    @Test
    void refusesWhatDoesNotFit() {
        assertThatThrownBy(() -> Parameter.lend(Map.of(p, Ops.tensor(1, 2)), () -> p))
                .hasMessageContaining("lend to parameter p")
                .hasMessageContaining("values do not fit");
    }
}
