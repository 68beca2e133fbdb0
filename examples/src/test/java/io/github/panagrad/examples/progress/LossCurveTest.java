package io.github.panagrad.examples.progress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LossCurveTest {
    @TempDir Path folder;

    @Test
    void drawsAPicture() throws Exception {
        var curve = new LossCurve();
        for (int step = 1; step <= 200; step++) {
            curve.step(step, 5 / Math.sqrt(step) + 0.1 * (step % 3));
        }
        curve.heldOut(100, 0.7);
        curve.heldOut(200, 0.5);
        Path file = folder.resolve("loss.png");

        curve.save(file, "Fine-tuning");

        var picture = ImageIO.read(file.toFile());
        assertThat(picture.getWidth()).isEqualTo(900);
        assertThat(picture.getHeight()).isEqualTo(560);
        long colours =
                java.util.stream.IntStream.range(0, 900 * 560)
                        .map(i -> picture.getRGB(i % 900, i / 900))
                        .distinct()
                        .count();
        assertThat(colours).as("colours in the picture").isGreaterThan(10);
    }

    @Test
    void drawsASingleStep() {
        var curve = new LossCurve();
        curve.step(1, 2.5);

        curve.save(folder.resolve("one.png"), "One step");

        assertThat(folder.resolve("one.png")).isNotEmptyFile();
    }

    @Test
    void refusesToDrawNothingOrNowhere() {
        var curve = new LossCurve();
        assertThatThrownBy(() -> curve.save(folder.resolve("none.png"), "None"))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("no steps");
        curve.step(1, 1);
        assertThatThrownBy(() -> curve.save(folder.resolve("no/such/place.png"), "Nowhere"))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("cannot be written");
    }

    @Test
    void smoothsWithoutBias() {
        List<Double> flat = Collections.nCopies(400, 3.0);
        assertThat(LossCurve.smoothed(flat)).allSatisfy(v -> assertThat(v).isCloseTo(3, within()));
        assertThat(LossCurve.smoothed(List.of(4.0))).containsExactly(4.0);
    }

    private static org.assertj.core.data.Offset<Double> within() {
        return org.assertj.core.data.Offset.offset(1e-9);
    }
}
