package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import org.junit.jupiter.api.Test;

class RampTest {
    @Test
    void risesOverItsShareAndStays() {
        Ramp linear = Ramp.linear(0, 0.3, 0.5);
        assertThat(linear.at(0, 100)).isZero();
        assertThat(linear.at(25, 100)).isCloseTo(0.15, offset(1e-12));
        assertThat(linear.at(50, 100)).isEqualTo(0.3);
        assertThat(linear.at(99, 100)).isEqualTo(0.3);

        Ramp cosine = Ramp.cosine(0.4, 0, 1);
        assertThat(cosine.at(0, 100)).isEqualTo(0.4);
        assertThat(cosine.at(25, 100))
                .isCloseTo(0.4 * 0.5 * (1 + Math.cos(Math.PI / 4)), offset(1e-12));
        assertThat(cosine.at(100, 100)).isCloseTo(0, offset(1e-12));
    }

    @Test
    void needsTheLengthOfTheRunOnlyWhereItChanges() {
        assertThat(Ramp.constant(0.2).at(7, 0)).isEqualTo(0.2);
        assertThatThrownBy(() -> Ramp.linear(0, 1, 0.5).at(7, 0))
                .hasMessageContaining("length is not known");
        assertThatThrownBy(() -> Ramp.linear(0, 1, 0)).hasMessageContaining("share above 0");
    }
}
