package io.github.panagrad.tornado.cublas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

@ResourceLock(Resources.SYSTEM_PROPERTIES)
class PrecisionTest {
    private final @Nullable String before = System.getProperty(Precision.PROPERTY);

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(Precision.PROPERTY);
        } else {
            System.setProperty(Precision.PROPERTY, before);
        }
    }

    @Test
    void roundsNothingUnlessAskedTo() {
        System.clearProperty(Precision.PROPERTY);

        assertThat(Precision.wanted()).isEqualTo(Precision.F32);
        assertThat(Precision.isJavaWanted()).isFalse();
    }

    @Test
    void isChosenByProperty() {
        System.setProperty(Precision.PROPERTY, "tf32");
        assertThat(Precision.wanted()).isEqualTo(Precision.TF32);

        System.setProperty(Precision.PROPERTY, "java");
        assertThat(Precision.isJavaWanted()).isTrue();
        assertThat(CuBlasTask.isAvailable()).isFalse();
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        System.setProperty(Precision.PROPERTY, "fp8");

        assertThatThrownBy(Precision::wanted)
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("fp8")
                .hasMessageContaining("f32, tf32, bf16, or java");
    }
}
