package io.github.panagrad.nn.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.SmallTokenizer;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnswersTest {
    @Test
    void findsTheLastAnswer() {
        var gsm = FinalAnswer.GSM8K;
        assertThat(gsm.find("48/2 = <<48/2=24>>24\n#### 72")).isEqualTo("72");
        assertThat(gsm.find("#### 1\nno, wait\n#### $1,234.50 .\nmore")).isEqualTo("1234.50");
        assertThat(gsm.find("####-1,234.\n")).isEqualTo("-1234");
        assertThat(gsm.find("#### 30%")).isEqualTo("30");
        assertThat(gsm.find("#### the red one")).isEqualTo("the red one");
        assertThat(gsm.find("about 72")).isNull();
        assertThat(gsm.find("####  \n")).isNull();
        assertThat(new FinalAnswer("The answer is").find("So. The answer is 7")).isEqualTo("7");
    }

    @Test
    void comparesNumbersByValueAndTextsByLetters() {
        var right = FinalAnswer.GSM8K.isRight("so\n#### 1,200");
        assertThat(right.test("#### 1200.00")).isTrue();
        assertThat(right.test("first 5\n#### $1200.")).isTrue();
        assertThat(right.test("#### 1201")).isFalse();
        assertThat(right.test("1200")).isFalse();
        assertThat(FinalAnswer.isSame("Paris", "paris ")).isTrue();
        assertThat(FinalAnswer.isSame(".5", "0.50")).isTrue();
        assertThatThrownBy(() -> FinalAnswer.GSM8K.isRight("no answer here"))
                .hasMessageContaining("no answer");
    }

    @Test
    void everySolutionOfGsm8kHasANumber() throws IOException {
        Path file = Assets.require("datasets/gsm8k/test.jsonl");
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(1319);
        for (String line : lines) {
            String solution = JsonObject.parse("gsm8k", line).string("answer");
            assertThat(FinalAnswer.GSM8K.find(solution)).matches("-?[0-9]+(\\.[0-9]+)?");
            assertThat(FinalAnswer.GSM8K.isRight(solution).test(solution)).isTrue();
        }
    }

    @Test
    void sampledAnswersAreCountedByProblem(@TempDir Path folder) {
        Tokenizer tokenizer = SmallTokenizer.in(folder);
        var model =
                CausalLM.create(
                        TinyModels.config(TinyModels.decoder("llama").with("vocab_size", 259L)), 5);
        var problems =
                List.of(
                        new SampledAnswers.Problem(new int[] {257, 65}, text -> true),
                        new SampledAnswers.Problem(new int[] {257, 66}, text -> false),
                        new SampledAnswers.Problem(
                                new int[] {257, 67},
                                text -> !text.isEmpty() && text.charAt(0) % 2 == 0));
        var sampling = Sampling.temperature(1).maxTokens(2).seed(4);
        var answers = SampledAnswers.draw(model, tokenizer, problems, 10, sampling);
        assertThat(answers.right()[0]).isEqualTo(10);
        assertThat(answers.right()[1]).isZero();
        int some = answers.right()[2];
        assertThat(some).isBetween(1, 9);
        assertThat(answers.probability(2)).isEqualTo(some / 10.0);
        assertThat(answers.passAt(1)).isCloseTo((1 + some / 10.0) / 3, offset(1e-12));
        assertThat(answers.passAt(4))
                .isCloseTo((1 + PassAtK.unbiased(10, some, 4)) / 3, offset(1e-12));
        assertThat(SampledAnswers.draw(model, tokenizer, problems, 10, sampling).right())
                .isEqualTo(answers.right());
        assertThatThrownBy(() -> SampledAnswers.draw(model, tokenizer, problems, 0, sampling))
                .hasMessageContaining("0 samples");
    }

    @Test
    void continuationsAreComparedByTheirWords() {
        List<String> one = Continuations.words("The cat sat on the mat.");
        assertThat(one).containsExactly("the", "cat", "sat", "on", "the", "mat");
        List<String> other = Continuations.words("the cat lay on a mat, mat");
        // the cat on mat: 4 of 6 and of 7
        assertThat(Continuations.rougeL(one, other)).isCloseTo(8.0 / 13, offset(1e-12));
        assertThat(Continuations.rougeL(one, one)).isEqualTo(1);
        assertThat(Continuations.rougeL(one, List.of())).isZero();
        assertThat(Continuations.rougeL(List.of(1, 2, 3), List.of(3, 2, 1)))
                .isCloseTo(1.0 / 3, offset(1e-12));
        // 13 words, of which the, cat, on and mat come again
        assertThat(Continuations.distinct(List.of(one, other), 1)).isEqualTo(7 / 13.0);
        assertThat(Continuations.distinct(List.of(one, other), 2)).isEqualTo(10 / 11.0);
        assertThat(Continuations.distinct(List.of(), 1)).isZero();
    }

    @Test
    void heavyTokensAreRanked() {
        var heavy = new HeavyTokens();
        heavy.add(5, 3);
        heavy.add(7, 1);
        heavy.add(5, 1);
        heavy.add(9, 5);
        assertThat(heavy.heaviest(2, 1))
                .containsExactly(new HeavyTokens.Heavy(9, 5, 1), new HeavyTokens.Heavy(5, 2, 2));
        assertThat(heavy.heaviest(2, 2)).extracting(HeavyTokens.Heavy::id).containsExactly(5);
        assertThat(heavy.share(id -> id == 5)).isEqualTo(0.4);
        assertThat(new HeavyTokens().share(id -> true)).isZero();
    }
}
