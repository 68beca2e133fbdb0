package io.github.panagrad.examples.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.Rng;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PlasticityTest {
    @ParameterizedTest
    @EnumSource(names = {"MSE", "TWO_HOT", "HL_GAUSS"})
    void everyArmFollowsTheShifts(ValueArm arm) {
        double[] errors = new Plasticity(Ops.randn(Rng.of(1), 64, 20), arm, 120, 2).run();

        // Without following, the last error would be near 8² at least.
        assertThat(errors).hasSameSizeAs(Plasticity.shifts());
        assertThat(Arrays.stream(errors).max().orElseThrow()).isLessThan(8);
    }

    @Test
    void refusesTheArmThatNeedsAFuture() {
        assertThatThrownBy(() -> new Plasticity(Ops.zeros(4, 4), ValueArm.C51, 1, 1))
                .hasMessageContaining("C51");
    }

    @Test
    void readsImages(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("images.gz");
        try (var out = new DataOutputStream(new GZIPOutputStream(Files.newOutputStream(file)))) {
            for (int n : new int[] {0x803, 2, 1, 2}) {
                out.writeInt(n);
            }
            out.write(new byte[] {0, (byte) 255, 51, (byte) 128});
        }
        var images = Plasticity.readImages(file);

        assertThat(images.shape().toArray()).containsExactly(2, 2);
        assertThat(images.toFloats()).containsExactly(0f, 1f, 0.2f, 128 / 255f);
    }
}
