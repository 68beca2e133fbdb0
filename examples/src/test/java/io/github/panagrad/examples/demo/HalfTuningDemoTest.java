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

class HalfTuningDemoTest {
    @Test
    void halfAtATimeForgetsLessAndLearnsTheLastTextTheLess() throws IOException {
        Path model = Assets.require("models/stories260k");
        Tokenizer tokenizer = CausalLM.load(model).tokenizer();
        String plays = Files.readString(Assets.require("datasets/tinyshakespeare/input.txt"));
        String answers = Texts.answers(Assets.require("datasets/alpaca/alpaca_en_demo.json"));
        String stories = Files.readString(Assets.require("datasets/tinystories/sample.txt"));
        var demo =
                new HalfTuningDemo(
                        model,
                        List.of(
                                Texts.task("plays", plays, tokenizer),
                                Texts.task("answers", answers, tokenizer)),
                        Texts.task("stories", stories, tokenizer).heldOut(),
                        20,
                        8,
                        3e-3);
        List<HalfTuningDemo.Arm> arms = demo.run(0);
        HalfTuningDemo.Arm all = arms.getFirst();
        HalfTuningDemo.Arm half = arms.getLast();
        assertThat(half.before()).isLessThan(all.before());
        assertThat(half.last()).isLessThan(all.last() + 0.5);
    }
}
