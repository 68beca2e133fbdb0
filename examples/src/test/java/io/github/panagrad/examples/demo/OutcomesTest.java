package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutcomesTest {
    @TempDir private Path folder;

    private static Outcome outcome(String name, double first) {
        Map<String, Map<String, double[]>> arms = new LinkedHashMap<>();
        arms.put("plain", Map.of("loss", new double[] {first, 2 / 3.0}));
        arms.put("arm", Map.of("loss", new double[] {0.5, 0.25}));
        return new Outcome(name, 2, arms);
    }

    @Test
    void figuresComeBackFromAFile() {
        Path file = folder.resolve("figures.json");
        assertThat(Outcomes.read(file).byName()).isEmpty();
        Outcomes.read(file).with(outcome("b", 1)).write(file);
        Outcomes.read(file).with(outcome("a", 1)).with(outcome("b", 3)).write(file);

        Outcomes read = Outcomes.read(file);
        assertThat(read.byName()).containsOnlyKeys("a", "b");
        Outcome b = Outcomes.read(file).byName().get("b");
        assertThat(b).isNotNull();
        assertThat(b.plain()).isEqualTo("plain");
        assertThat(b.seeds()).isEqualTo(2);
        assertThat(b.values("plain", "loss")).containsExactly(3, 0.666667);
        assertThat(b.values("arm", "loss")).containsExactly(0.5, 0.25);
    }

    @Test
    void everyFigureHasToBeThere() {
        assertThatThrownBy(() -> outcome("a", Double.NaN))
                .hasMessageContaining("no figures of plain, loss");
    }
}
