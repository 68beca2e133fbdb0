package io.github.panagrad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** Holds the build to its word: tests run on JDK 25 or later with the Vector API resolved. */
class JvmTest {

    @Test
    void testsRunOnJdk25WithVectors() {
        assertThat(Runtime.version().feature()).isGreaterThanOrEqualTo(25);
        assertThat(FloatVector.SPECIES_PREFERRED.length()).isPositive();
    }
}
