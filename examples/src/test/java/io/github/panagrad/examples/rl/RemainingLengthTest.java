package io.github.panagrad.examples.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.examples.Assets;
import io.github.panagrad.nn.models.CausalLM;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RemainingLengthTest {
    @Test
    void readsStories(@TempDir Path folder) throws IOException {
        Path file =
                Files.writeString(
                        folder.resolve("stories.txt"),
                        "the end.\n\nOnce upon a time, one.\n\nOnce upon a time two.\n");
        assertThat(RemainingLength.stories(file))
                .containsExactly("Once upon a time, one.", "Once upon a time two.");
    }

    @Test
    void everyArmTellsHowMuchIsLeft() {
        var model = CausalLM.load(Assets.require("models/stories260k"));
        List<String> stories =
                RemainingLength.stories(Assets.require("datasets/tinystories/sample.txt"));
        var data = RemainingLength.of(model, stories, 1);
        assertThat(data.size()).isGreaterThan(300);
        var byBins = data.run(ValueArm.HL_GAUSS, 300, 1e-2, 1);
        assertThat(byBins.absoluteError()).isLessThan(0.9);
        assertThat(byBins.correlation()).isGreaterThan(0.1);
        assertThat(data.run(ValueArm.HL_GAUSS, 300, 1e-2, 1)).isEqualTo(byBins);
        for (ValueArm arm : List.of(ValueArm.MSE, ValueArm.TWO_HOT)) {
            var result = data.run(arm, 300, 1e-2, 1);
            // Who learns nothing predicts 0, far below the logarithms of some hundred tokens.
            assertThat(result.absoluteError()).as(arm.toString()).isLessThan(1.5);
        }
        assertThatThrownBy(() -> data.run(ValueArm.C51, 1, 1e-2, 1)).hasMessageContaining("C51");
        assertThatThrownBy(() -> RemainingLength.of(model, stories.subList(0, 3), 1))
                .hasMessageContaining("too few stories");
    }
}
