package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.examples.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
        texts = new TwoTexts(model, target, control, 4);
    }

    @Test
    void sweepsBothWaysOfScaling() {
        for (boolean lora : new boolean[] {false, true}) {
            var curves = new LayerScalingDemo(texts, 4, lora).run(1);
            TradeOff.Point none = curves.whole().points().getFirst();
            TradeOff.Point all = curves.whole().points().getLast();
            assertThat(all.target()).isLessThan(none.target());
            TradeOff.Point byDepth = curves.byDepth().points().getLast();
            assertThat(byDepth.target()).isCloseTo(all.target(), within(1e-4));
            assertThat(curves.byDepth().points()).hasSize(11);
            assertThat(LayerScalingDemo.table(curves).lines()).hasSize(2 + 11 + 1);
        }
    }

    @Test
    void countsIntrudersOfAllArms() {
        var outcome = new IntruderDemo(texts, 5, 0).run(1);
        assertThat(outcome.arms()).hasSize(6).allMatch(arm -> arm.steps() == 5);
        assertThat(outcome.arms().get(1).report().spectra().meanStableRank())
                .isCloseTo(1, within(1e-3));
        assertThat(outcome.damped()).hasSize(5);
        assertThat(IntruderDemo.table(outcome)).contains("full", "rsLoRA r=64", "λ", "shown");
    }

    @Test
    void trainsEquallyManyParametersInAllArms() {
        List<KappaDemo.Arm> arms = new KappaDemo(texts, 5, 3).run(1);
        assertThat(arms).hasSize(7);
        long most = arms.getFirst().trained();
        assertThat(arms).allMatch(arm -> arm.trained() > most / 2 && arm.trained() <= most);
        assertThat(KappaDemo.table(arms)).contains("lowest κ", "random MLP", "LoRA r=", "forget");
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
