package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.examples.Assets;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class SparseCompositionDemoTest {
    @Test
    void twoSparseChangesAddUpAndBothTextsKeepMostOfTheirGain() throws IOException {
        Path model = Assets.require("models/stories260k");
        Tokenizer tokenizer = CausalLM.load(model).tokenizer();
        String plays = Files.readString(Assets.require("datasets/tinyshakespeare/input.txt"));
        String answers = Texts.answers(Assets.require("datasets/alpaca/alpaca_en_demo.json"));
        var demo =
                new SparseCompositionDemo(
                        model,
                        Texts.task("plays", plays, tokenizer),
                        Texts.task("answers", answers, tokenizer),
                        0.05,
                        20,
                        8,
                        3e-3);
        List<SparseCompositionDemo.Arm> arms = demo.run(0);
        SparseCompositionDemo.Arm sparse = arms.getFirst();
        SparseCompositionDemo.Arm dense = arms.getLast();
        for (int text = 0; text < 2; text++) {
            assertThat(sparse.own()[text]).isLessThan(sparse.untouched()[text] - 0.2);
            assertThat(sparse.kept(text)).isGreaterThan(0.6);
        }
        // Dense changes are in each other's way.
        assertThat(sparse.kept(0) + sparse.kept(1)).isGreaterThan(dense.kept(0) + dense.kept(1));
    }
}
