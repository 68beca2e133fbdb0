package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What `eval` measures of answers.
class EvalCommandTest {
    @TempDir static Path shared;
    private static Path model;
    private static Path tuned;
    private static Path rows;

    @BeforeAll
    static void modelThatKnowsItsAnswers() throws IOException {
        model = TinyModel.write(shared.resolve("model"));
        tuned = shared.resolve("tuned");
        rows = shared.resolve("rows.jsonl");
        List<String> lines = new ArrayList<>();
        for (String name : List.of("Anna", "Ben", "Clara", "David", "Emma", "Felix")) {
            lines.add(row(name + " went to", " the park."));
        }
        Files.write(rows, lines);
        CommandLineRun run =
                CommandLineRun.of(
                        "finetune",
                        "--model",
                        model,
                        "--data",
                        rows,
                        "--output",
                        tuned,
                        "--method",
                        "full",
                        "--lr",
                        "3e-2",
                        "--steps",
                        "150",
                        "--batch-size",
                        "6");
        assertThat(run.code()).as(run.err()).isZero();
    }

    private static String row(String prompt, String completion) {
        return JsonObject.of("prompt", prompt, "completion", completion).toString();
    }

    private static CommandLineRun eval(Path of, Path data, String... more) {
        var arguments = new ArrayList<Object>(List.of("eval", "--model", of, "--data", data));
        arguments.addAll(List.of(more));
        return CommandLineRun.of(arguments.toArray());
    }

    private static JsonObject measured(Path of, Path data, String... more) {
        var all = new ArrayList<>(List.of("--json"));
        all.addAll(List.of(more));
        CommandLineRun run = eval(of, data, all.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isZero();
        return JsonObject.parse("eval", run.out());
    }

    @Test
    void samplesAreRightOnceTheAnswersAreLearnt() {
        JsonObject knows = measured(tuned, rows, "--pass-at", "1,4", "--answer-tokens", "12");
        assertThat(knows.names())
                .containsExactly("loss", "perplexity", "tokens", "pass@1", "pass@4");
        assertThat(knows.number("pass@1")).isGreaterThan(0.7);
        assertThat(knows.number("pass@4"))
                .isGreaterThanOrEqualTo(knows.number("pass@1"))
                .isGreaterThan(0.9);
        String[] few = {"--pass-at", "1", "--samples", "3", "--answer-tokens", "12", "--seed", "5"};
        assertThat(measured(tuned, rows, few)).hasToString(measured(tuned, rows, few).toString());
        assertThat(measured(model, rows, few).number("pass@1")).isZero();
    }

    @Test
    void exactCoverageNeedsNoSamples() throws IOException {
        Path one = Files.writeString(shared.resolve("one.jsonl"), row("Ben went to", " the park."));
        JsonObject found = measured(tuned, one, "--pass-at", "1,8", "--exact");
        double p = Math.exp(-found.number("loss") * found.integer("tokens"));
        assertThat(found.number("pass@1")).isCloseTo(p, offset(1e-5));
        assertThat(found.number("pass@8")).isCloseTo(1 - Math.pow(1 - p, 8), offset(1e-5));
    }

    @Test
    void finalAnswersCountBehindTheirMark() throws IOException {
        Path marked =
                Files.write(
                        shared.resolve("marked.jsonl"),
                        List.of(
                                row("Ben went to", " a place. park. The park."),
                                row("Anna went to", " the park. park. a lake")));
        // What is written is "the park.": its final answer, behind "the", is that of the first row
        // only.
        String[] how = {
            "--pass-at", "1", "--samples", "1", "--temperature", "0", "--answer-tokens", "12"
        };
        var the = new ArrayList<>(List.of(how));
        the.addAll(List.of("--answer-mark", "he"));
        assertThat(measured(tuned, marked, the.toArray(String[]::new)).number("pass@1"))
                .isEqualTo(0.5);
        assertThat(measured(tuned, marked, how).number("pass@1")).isZero();
    }

    @Test
    void likeliestAnswersAreComparedByTheirWords() throws IOException {
        assertThat(measured(tuned, rows, "--rouge", "--answer-tokens", "12").number("rouge-l"))
                .isEqualTo(1);
        Path other =
                Files.writeString(
                        shared.resolve("other.jsonl"), row("Ben went to", " a park in the town."));
        // "the park" against five words, of which one is common in this order.
        assertThat(measured(tuned, other, "--rouge", "--answer-tokens", "12").number("rouge-l"))
                .isCloseTo(2.0 / 7, offset(1e-12));
        CommandLineRun text = eval(tuned, rows, "--rouge", "--answer-tokens", "12");
        assertThat(text.out().lines()).hasSize(2).contains("rouge-l 1.0000");
    }

    @Test
    void rowsNeedAPromptAndAnAnswer() throws IOException {
        Path plain = Files.writeString(shared.resolve("plain.txt"), "Anna went to the park. ");
        for (String[] what :
                new String[][] {{"--pass-at", "2"}, {"--pass-at", "2", "--exact"}, {"--rouge"}}) {
            CommandLineRun run = eval(model, plain, what);
            assertThat(run.code()).isNotZero();
            assertThat(run.err()).contains("no prompt or no answer").contains("completion");
        }
        CommandLineRun few = eval(model, rows, "--pass-at", "8", "--samples", "2");
        assertThat(few.err()).contains("k 8");
    }
}
