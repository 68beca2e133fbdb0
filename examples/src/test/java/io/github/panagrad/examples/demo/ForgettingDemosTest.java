package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.examples.TinyModel;
import io.github.panagrad.examples.demo.Demonstration.Recorder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// That the demonstrations run and print; what they show needs a trained model.
class ForgettingDemosTest {
    @TempDir static Path folder;
    private static TwoTexts texts;

    @BeforeAll
    static void modelAndTexts() throws IOException {
        Path target = folder.resolve("target.txt");
        Path control = folder.resolve("control.txt");
        Files.writeString(target, "Thou art a red ball, Ben. ".repeat(200));
        Files.writeString(control, "Anna went to the park. ".repeat(60));
        Path model = TinyModel.write(folder.resolve("model"));
        texts = TwoTexts.of(model, target, control, 4);
    }

    /// Collects the figures of a run by arm, then measure.
    private static Map<String, Map<String, Double>> figures(Consumer<Recorder> run) {
        Map<String, Map<String, Double>> figures = new LinkedHashMap<>();
        run.accept((arm, measure, value) ->
                figures.computeIfAbsent(arm, a -> new HashMap<>()).put(measure, value));
        return figures;
    }

    @Test
    void comparesWaysOfScalingWhereTheyLearnEquallyMuch() {
        var figures = figures(r -> DepthScalingDemo.measure(texts, 4, 1, r));
        assertThat(figures).hasSize(4);
        // All of the change is a point of both sweeps, with a score of 2 and what is left of
        // stories.
        assertThat(figures.values()).allMatch(arm -> arm.get("best weighted score") > 2);
    }

    @Test
    void countsIntrudersOfAllArms() {
        var figures = figures(r -> IntruderDemo.measure(texts, 5, 0, 1, r));
        assertThat(figures).hasSize(6 + 2);
        assertThat(figures.get("LoRA r 1").get("steps")).isEqualTo(5);
        assertThat(figures.get("LoRA r 1").get("stable rank")).isCloseTo(1, within(1e-3));
        assertThat(figures.get("full").get("stable rank")).isGreaterThan(1.1);
    }

    @Test
    void trainsEquallyManyParametersInAllArms() {
        var figures = figures(r -> KappaDemo.measure(texts, 5, 3, 1, r));
        assertThat(figures).hasSize(6);
        double most = figures.get("lowest κ").get("parameters");
        assertThat(figures.values())
                .extracting(arm -> arm.get("parameters"))
                .allMatch(count -> count > most / 2 && count <= most);
    }

    @Test
    void readsOneCurveAtAnothersHeight() {
        var curve =
                new TradeOff(
                        List.of(
                                new TradeOff.Point(0, 7, 1),
                                new TradeOff.Point(1, 6, 2),
                                new TradeOff.Point(2, 5, 4),
                                new TradeOff.Point(3, 6, 7)));
        assertThat(curve.controlAt(5.5)).hasValue(3);
        assertThat(curve.controlAt(6.75)).hasValue(1.25);
        assertThat(curve.controlAt(4)).isEmpty();
        assertThat(curve.lowest()).isEqualTo(5);
    }
}
