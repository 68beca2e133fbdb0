package io.github.panagrad.nn.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.SmallTokenizer;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DependencyProbeTest {
    @TempDir private Path folder;

    private static CausalLM model() {
        return CausalLM.create(
                TinyModels.config(TinyModels.decoder("llama").with("vocab_size", 259L)), 5);
    }

    private static Example example(Tokenizer tokenizer, String question, String answer) {
        int prompt = tokenizer.encode(question).length;
        int[] ids = tokenizer.encode(question + answer);
        int[] labels = ids.clone();
        Arrays.fill(labels, 0, prompt, Example.IGNORED);
        return new Example(ids, labels, 0);
    }

    @Test
    void measuresTheNumbersOfTheAnswerByTheirDistance() {
        Tokenizer tokenizer = SmallTokenizer.in(folder);
        var model = model();
        Example example = example(tokenizer, "a7b", "c1d2");
        var effects = new DependencyProbe(model, tokenizer, 3).measure(List.of(example));
        // <s> a 7 b c 1 d 2: from 2 to 5 and 7.
        assertThat(effects).extracting(DependencyProbe.Effect::distance).containsExactly(3, 5);
        // One of the other nine digits stood in place of 7.
        double[] wanted = effects.stream().mapToDouble(e -> e.divergence()).toArray();
        assertThat(wanted[0]).isPositive();
        boolean found = false;
        for (char digit = '0'; digit <= '9'; digit++) {
            found |=
                    digit != '7'
                            && Arrays.equals(
                                    rounded(divergences(model, tokenizer, digit)), rounded(wanted));
        }
        assertThat(found).isTrue();
    }

    private static long[] rounded(double[] values) {
        return Arrays.stream(values).mapToLong(v -> Math.round(v * 1e5)).toArray();
    }

    /// KL(before ‖ after) at the places before both numbers, from whole logits.
    private static double[] divergences(CausalLM model, Tokenizer tokenizer, char digit) {
        double[] before = probabilities(model, tokenizer.encode("a7bc1d2"));
        double[] after = probabilities(model, tokenizer.encode("a" + digit + "bc1d2"));
        double[] kl = new double[2];
        for (int i = 0; i < 2; i++) {
            for (int v = 0; v < 259; v++) {
                int at = (4 + 2 * i) * 259 + v;
                kl[i] += before[at] * Math.log(before[at] / after[at]);
            }
        }
        return kl;
    }

    private static double[] probabilities(CausalLM model, int[] ids) {
        Tensor hidden = model.hidden(Ops.indices(ids, 1, ids.length));
        return Ops.softmax(model.logits(hidden), -1).toDoubles();
    }

    @Test
    void aModelThatIgnoresItsQuestionDoesNotDependOnIt() {
        Tokenizer tokenizer = SmallTokenizer.in(folder);
        var model = model();
        Tensor table = model.parameters().get("model.embed_tokens.weight");
        model.parameters().get("model.embed_tokens.weight").assign(table.detach().mul(0));
        var effects =
                new DependencyProbe(model, tokenizer, 3)
                        .measure(List.of(example(tokenizer, "5+5=", "10")));
        assertThat(effects).hasSize(2);
        assertThat(DependencyProbe.mean(effects)).isCloseTo(0, offset(1e-9));
    }

    @Test
    void examplesWithoutNumbersHaveNoEffects() {
        Tokenizer tokenizer = SmallTokenizer.in(folder);
        var probe = new DependencyProbe(model(), tokenizer, 3);
        assertThat(
                        probe.measure(
                                List.of(
                                        example(tokenizer, "ab", "c1"),
                                        example(tokenizer, "a1", "cd"))))
                .isEmpty();
        assertThat(DependencyProbe.mean(List.of())).isZero();
    }

    @Test
    void bandsAverageByDistance() {
        var effects =
                List.of(
                        new DependencyProbe.Effect(3, 1),
                        new DependencyProbe.Effect(9, 2),
                        new DependencyProbe.Effect(10, 5),
                        new DependencyProbe.Effect(35, 7));
        assertThat(DependencyProbe.bands(effects, 10))
                .containsExactly(
                        new DependencyProbe.Band(0, 10, 1.5, 2),
                        new DependencyProbe.Band(10, 20, 5, 1),
                        new DependencyProbe.Band(30, 40, 7, 1));
    }

    @Test
    void findsTheNumbersOfARealModel() {
        Path files = Assets.require("models/stories15m");
        var model = CausalLM.load(files);
        Tokenizer tokenizer = model.tokenizer();
        var example =
                example(
                        tokenizer,
                        "Tom had 3 apples and got 4 more. How many has he now?",
                        " He has 3+4 = 7 apples.");
        var effects = new DependencyProbe(model, tokenizer, 1).measure(List.of(example));
        assertThat(effects).hasSize(3);
        assertThat(effects).allSatisfy(e -> assertThat(e.divergence()).isFinite().isGreaterThan(0));
    }
}
