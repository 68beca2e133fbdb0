package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.examples.catalog.ObjectiveCatalog;
import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FinetuneObjectivesTest extends FinetuneRuns {
    static Stream<String> everyObjective() {
        return ObjectiveCatalog.CATALOG.entries().stream()
                .map(e -> e.has("teacher") ? e.name() + ":teacher=" + model : e.name())
                .filter(spec -> !spec.equals("poft"))
                .filter(spec ->
                        ObjectiveCatalog.CATALOG.make(spec).stream()
                                .anyMatch(goal ->
                                        goal instanceof Goal.Language language
                                                && language.data() == Goal.Data.TEXT));
    }

    @ParameterizedTest
    @MethodSource("everyObjective")
    void trainsToEveryEnd(String objective) throws IOException {
        boolean samples = List.of("grpo", "dco-chains").contains(objective);
        // Of six rows, three a batch: the third step is of the second epoch.
        Path output =
                samples
                        ? tune(
                                "out",
                                "--objective",
                                objective + ":tokens=4",
                                "--batch-size",
                                "3",
                                "--steps",
                                objective.equals("grpo") ? "2" : "3",
                                "--data",
                                rows,
                                "--prompt-field",
                                "question",
                                "--completion-field",
                                "answer")
                        : tune("out", "--objective", objective, "--steps", "2");
        assertThat(metrics(output)).hasSize(objective.equals("dco-chains") ? 3 : 2);
    }

    @Test
    void learnsFromScoresOfAnotherModel() throws IOException {
        Path scores = folder.resolve("scores.json");
        Object[] fields = {
            "--data", rows, "--prompt-field", "question", "--completion-field", "answer"
        };
        var arguments = new ArrayList<Object>(List.of("score", "--model", model));
        arguments.addAll(List.of(fields));
        arguments.addAll(List.of("--output", scores));
        CommandLineRun run = CommandLineRun.of(arguments.toArray());
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).startsWith("6 scores");

        var more = new ArrayList<Object>(List.of(fields));
        more.addAll(List.of("--objective", "poft:scores=" + scores, "--steps", "2"));
        List<JsonObject> steps = objects(tune("poft", more.toArray()).resolve("metrics.jsonl"));
        // The model is its own reference at first.
        assertThat(steps.getFirst().number("loss")).isCloseTo(Math.log(2), offset(1e-4));
    }

    @Test
    void forgetsAConcept() throws IOException {
        Path data = folder.resolve("unlearn.jsonl");
        Files.write(
                data,
                List.of(
                        """
                        {"prompt": "Who went?", "completion": " Ben went.", "kind": 1, \
                        "specified": "Ben"}\
                        """,
                        """
                        {"prompt": "Where?", "completion": " To the park.", "kind": 4}\
                        """));
        Path output =
                tune("siu", "--data", data, "--objective", "siu:concept=Anna", "--steps", "3");
        assertThat(metrics(output)).hasSize(3);
    }

    @Test
    void climbsTheLossOfRowsThatSayTheConcept() throws IOException {
        Object[] names = {
            "--data", rows, "--prompt-field", "question", "--completion-field", "answer"
        };
        var all = new ArrayList<Object>(List.of(names));
        all.addAll(List.of("--objective", "ascent", "--steps", "4", "--lr", "1e-2"));
        List<JsonObject> steps = objects(tune("all", all.toArray()).resolve("metrics.jsonl"));
        assertThat(reported(steps.getLast(), "forget"))
                .isGreaterThan(reported(steps.getFirst(), "forget"));
        assertThat(steps.getFirst().number("loss"))
                .isCloseTo(-reported(steps.getFirst(), "forget"), offset(1e-5));

        // In one of six rows an answer says it; the others are to stay as they are at first.
        Path mixed = folder.resolve("mixed.jsonl");
        var lines = new ArrayList<String>();
        for (String name : List.of("Anna", "Ben", "Clara", "David", "Emma", "Felix")) {
            lines.add(JsonObject.of("prompt", "Who?", "completion", " " + name).toString());
        }
        Files.write(mixed, lines);
        steps =
                objects(
                        tune(
                                        "some",
                                        "--objective",
                                        "ascent:concept=Ben,kl=2",
                                        "--steps",
                                        "3",
                                        "--lr",
                                        "1e-2",
                                        "--data",
                                        mixed,
                                        "--batch-size",
                                        "6")
                                .resolve("metrics.jsonl"));
        assertThat(reported(steps.getFirst(), "kl")).isCloseTo(0, offset(1e-5));
        assertThat(reported(steps.getLast(), "kl")).isPositive();
        assertThat(reported(steps.getLast(), "forget"))
                .isGreaterThan(reported(steps.getFirst(), "forget"));
    }

    private static double reported(JsonObject step, String name) {
        return step.object("report").number(name);
    }

    /// Held-out text is read as it is, whatever is hidden in training.
    @Test
    void evaluationHidesNothing() throws IOException {
        Path output =
                tune(
                        "hiding",
                        "--eval-data",
                        text,
                        "--steps",
                        "2",
                        "--lr",
                        "0",
                        "--mask-thought",
                        "1",
                        "--mask-warmup",
                        "0");
        double untouched = loss("--model", model);
        for (JsonObject evaluation : objects(output.resolve("eval.jsonl"))) {
            assertThat(evaluation.number("loss")).isCloseTo(untouched, offset(1e-6));
        }
        assertThat(objects(output.resolve("metrics.jsonl")).getFirst().number("loss"))
                .isNotCloseTo(untouched, offset(1e-3));
    }

    @Test
    void learnsWithTokensHidden() throws IOException {
        List<String> plain = metrics(tune("plain", "--steps", "3"));
        List<String> hidden =
                metrics(
                        tune(
                                "hidden",
                                "--steps",
                                "3",
                                "--mask-thought",
                                "0.5",
                                "--mask-warmup",
                                "0"));
        assertThat(hidden).hasSize(3).isNotEqualTo(plain);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dpo", "ipo", "simpo", "orpo", "kto"})
    void learnsPreferences(String objective) throws IOException {
        boolean marked = objective.equals("kto");
        var lines = new ArrayList<String>();
        for (String name : List.of("Anna", "Ben", "Anna", "Ben")) {
            lines.add(
                    marked
                            ? """
                            {"prompt": "%s went ", "completion": "to the park.", "label": %s}\
                            """
                                    .formatted(name, lines.size() % 2 == 0)
                            : """
                            {"prompt": "%s went ", "chosen": "to the park.", "rejected": "a ball."}\
                            """
                                    .formatted(name));
        }
        Path pairs = folder.resolve("pairs.jsonl");
        Files.write(pairs, lines);
        for (String method : List.of("lora", "full")) {
            Path output = folder.resolve(objective + method);
            CommandLineRun run =
                    CommandLineRun.of(
                            "finetune",
                            "--model",
                            model,
                            "--data",
                            pairs,
                            "--output",
                            output,
                            "--objective",
                            objective,
                            "--method",
                            method,
                            "--steps",
                            "3",
                            "--batch-size",
                            "4");
            assertThat(run.code()).as(run.err()).isZero();
            assertThat(metrics(output)).hasSize(3);
        }
    }
}
