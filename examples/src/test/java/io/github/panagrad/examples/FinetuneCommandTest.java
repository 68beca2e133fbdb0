package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.examples.catalog.Entry;
import io.github.panagrad.examples.catalog.Methods;
import io.github.panagrad.examples.catalog.ObjectiveCatalog;
import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FinetuneCommandTest {
    @TempDir static Path shared;
    private static Path model;
    private static Path rows;
    private static Path text;

    @TempDir Path folder;
    private final int threads = Parallel.threads();

    @BeforeAll
    static void modelAndData() throws IOException {
        model = TinyModel.write(shared.resolve("model"));
        rows = shared.resolve("rows.jsonl");
        List<String> lines = new ArrayList<>();
        for (String name : List.of("Anna", "Ben", "Clara", "David", "Emma", "Felix")) {
            lines.add(
                    JsonObject.of("question", name + " went to", "answer", " the park.")
                            .toString());
        }
        Files.write(rows, lines);
        text = shared.resolve("text.txt");
        Files.writeString(text, "Anna went to the park. Ben found a red ball. ".repeat(40));
    }

    @AfterEach
    void threadsAsTheyWere() {
        Parallel.setThreads(threads);
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "lora", "sparse:density=0.2"})
    void learnsAndMeasures(String method) throws IOException {
        Path output = folder.resolve("out");

        CommandLineRun run =
                CommandLineRun.of(
                        "finetune",
                        "--model",
                        model,
                        "--data",
                        rows,
                        "--output",
                        output,
                        "--prompt-field",
                        "question",
                        "--completion-field",
                        "answer",
                        "--method",
                        method,
                        "--lr",
                        "1e-2",
                        "--epochs",
                        "10",
                        "--batch-size",
                        "3",
                        "--eval-data",
                        text,
                        "--eval-every",
                        "10");

        assertThat(run.err()).contains("data: 6 rows");
        assertThat(run.code()).as(run.err()).isZero();
        List<JsonObject> steps = objects(output.resolve("metrics.jsonl"));
        assertThat(steps).hasSize(20);
        assertThat(steps.getFirst().names())
                .containsExactly("step", "loss", "lr", "grad_norm", "tokens", "tokens_per_second");
        assertThat(steps.getLast().number("loss"))
                .isLessThan(steps.getFirst().number("loss") - 0.2);
        assertThat(objects(output.resolve("eval.jsonl")))
                .extracting(evaluation -> evaluation.integer("step"))
                .containsExactly(0, 10, 20);
        assertThat(output.resolve("loss.png")).isNotEmptyFile();
        assertThat(output.resolve(method.equals("lora") ? "adapter_config.json" : "config.json"))
                .exists();
    }

    static Stream<String> everyMethod() {
        // The model has no biases.
        return Methods.CATALOG.entries().stream()
                .map(Entry::name)
                .filter(name -> !name.equals("bitfit"))
                .map(name ->
                        switch (name) {
                            case "adalora" -> "adalora:warmup=1";
                            case "kappa" -> "kappa:tensors=5,ranking=relative";
                            default -> name;
                        });
    }

    @ParameterizedTest
    @MethodSource("everyMethod")
    void trainsByEveryMethod(String method) throws IOException {
        Path output =
                tune(
                        method.replace(':', '-'),
                        "--method",
                        method,
                        "--steps",
                        "2",
                        "--batch-size",
                        "2");
        assertThat(metrics(output)).hasSize(2);
        assertThat(
                        Stream.of("adapter_model.safetensors", "model.safetensors")
                                .anyMatch(file -> Files.exists(output.resolve(file))))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "full"})
    void countsIntrudersOnTheWay(String method) throws IOException {
        Path watched =
                tune(
                        "watched-" + method,
                        "--method",
                        method,
                        "--steps",
                        "5",
                        "--probe",
                        "spectra=2");
        List<JsonObject> seen = objects(watched.resolve("spectra.jsonl"));
        assertThat(seen).extracting(point -> point.integer("step")).containsExactly(2, 4);
        // Seven matrices a block; those of keys and values have eight rows, which is too few.
        assertThat(seen.getFirst().integer("looked")).isEqualTo(2 * 5 * 10);
        assertThat(seen.getLast().number("mean_stable_rank")).isPositive();
        Path plain = tune("unwatched-" + method, "--method", method, "--steps", "5");
        String result = method.equals("lora") ? "adapter_model.safetensors" : "model.safetensors";
        assertThat(watched.resolve(result)).hasSameBinaryContentAs(plain.resolve(result));
        assertThat(plain.resolve("spectra.jsonl")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spectra=0", "loss=3"})
    void refusesProbesThatAreNone(String probe) {
        CommandLineRun run =
                CommandLineRun.of(
                        "finetune",
                        "--model",
                        model,
                        "--data",
                        text,
                        "--output",
                        folder.resolve("no-probe"),
                        "--probe",
                        probe);
        assertThat(run.err()).contains("--probe").contains("spectra=N");
    }

    @Test
    void adaptsTheBestConditionedLayers() {
        Path output = tune("kappa-lora", "--targets", "kappa:3", "--steps", "2");
        JsonObject config = JsonObject.read(output.resolve("adapter_config.json"));
        assertThat(config.strings("target_modules")).isNotEmpty().hasSizeLessThanOrEqualTo(3);
        CommandLineRun run =
                CommandLineRun.of(
                        "finetune",
                        "--model",
                        model,
                        "--data",
                        text,
                        "--output",
                        folder.resolve("none"),
                        "--targets",
                        "kappa:many");
        assertThat(run.code()).isNotZero();
        assertThat(run.err()).contains("not a number of layers").contains("many");
    }

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

    @Test
    void givesTheSameMetricsForTheSameSeedWithAnyNumberOfThreads() throws IOException {
        List<String> one = metrics(tune("one", "--threads", 1, "--seed", 5, "--dropout", 0.1));
        List<String> same = metrics(tune("same", "--threads", 3, "--seed", 5, "--dropout", 0.1));
        List<String> other = metrics(tune("other", "--threads", 1, "--seed", 6, "--dropout", 0.1));

        assertThat(same).isEqualTo(one);
        assertThat(other).isNotEqualTo(one);
    }

    @Test
    void goesOnFromASavedStateAsIfItHadNeverStopped() throws IOException {
        String[] constant = {"--schedule", "constant", "--warmup-steps", "0"};
        Path whole = tune("whole", with(constant, "--steps", "6"));
        Path parts = tune("parts", with(constant, "--steps", "2"));
        tune("parts", with(constant, "--steps", "6", "--resume"));

        assertThat(metrics(parts)).isEqualTo(metrics(whole));
        assertThat(parts.resolve("adapter_model.safetensors"))
                .hasSameBinaryContentAs(whole.resolve("adapter_model.safetensors"));
    }

    @Test
    void shufflesUnlessToldNotTo() throws IOException {
        List<String> standard = metrics(tune("standard"));

        assertThat(metrics(tune("shuffled", "--shuffle"))).isEqualTo(standard);
        assertThat(metrics(tune("ordered", "--no-shuffle"))).isNotEqualTo(standard);
    }

    @Test
    void accumulatesBatchesToTheSameStep() throws IOException {
        Path whole = tune("whole", "--no-shuffle", "--batch-size", "4", "--steps", "3");
        Path parts =
                tune(
                        "parts",
                        "--no-shuffle",
                        "--batch-size",
                        "2",
                        "--grad-accumulation",
                        "2",
                        "--steps",
                        "3");

        List<JsonObject> expected = objects(whole.resolve("metrics.jsonl"));
        List<JsonObject> actual = objects(parts.resolve("metrics.jsonl"));
        for (int i = 0; i < 3; i++) {
            assertThat(actual.get(i).number("loss"))
                    .isCloseTo(expected.get(i).number("loss"), offset(1e-4));
        }
    }

    @Test
    void mergesToAModelThatPredictsLikeBaseAndAdapter() {
        Path adapter = tune("adapter", "--lr", "2e-2", "--steps", 20);
        Path merged = folder.resolve("merged");

        CommandLineRun merge =
                CommandLineRun.of(
                        "merge", "--model", model, "--adapter", adapter, "--output", merged);
        assertThat(merge.code()).as(merge.err()).isZero();

        double base = loss("--model", model);
        double beside = loss("--model", model, "--adapter", adapter);
        double inside = loss("--model", merged);
        assertThat(beside).isLessThan(base - 0.02);
        assertThat(inside).isCloseTo(beside, offset(1e-4));
    }

    @Test
    void generatesAsMuchAsAskedFor() {
        CommandLineRun some = generate("--max-tokens", 5, "--seed", 1, "--temperature", 1);
        CommandLineRun same = generate("--max-tokens", 5, "--seed", 1, "--temperature", 1);
        CommandLineRun none = generate("--max-tokens", 0);

        assertThat(some.code()).as(some.err()).isZero();
        assertThat(some.out()).isEqualTo(same.out()).isNotBlank();
        assertThat(none.out()).isBlank();
    }

    private static CommandLineRun generate(Object... more) {
        List<Object> arguments =
                new ArrayList<>(List.of("generate", "--model", model, "--prompt", "Anna"));
        arguments.addAll(List.of(more));
        return CommandLineRun.of(arguments.toArray());
    }

    private static double loss(Object... source) {
        List<Object> arguments = new ArrayList<>(List.of("eval", "--data", text, "--json"));
        arguments.addAll(List.of(source));
        CommandLineRun run = CommandLineRun.of(arguments.toArray());
        assertThat(run.code()).as(run.err()).isZero();
        JsonObject result = JsonObject.parse("eval", run.out());
        assertThat(result.names()).containsExactly("loss", "perplexity", "tokens");
        return result.number("loss");
    }

    private Path tune(String name, Object... more) {
        Path output = folder.resolve(name);
        List<Object> arguments =
                new ArrayList<>(List.of("finetune", "--model", model, "--output", output));
        if (!List.of(more).contains("--data")) {
            arguments.addAll(List.of("--data", text));
        }
        if (!List.of(more).contains("--steps")) {
            arguments.addAll(List.of("--steps", 6));
        }
        if (!List.of(more).contains("--batch-size")) {
            arguments.addAll(List.of("--batch-size", 2));
        }
        arguments.addAll(List.of(more));
        CommandLineRun run = CommandLineRun.of(arguments.toArray());
        assertThat(run.code()).as(run.err()).isZero();
        return output;
    }

    private static Object[] with(String[] some, String... more) {
        List<Object> all = new ArrayList<>(List.of(some));
        all.addAll(List.of(more));
        return all.toArray();
    }

    private static List<JsonObject> objects(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .map(line -> JsonObject.parse(file.toString(), line))
                .toList();
    }

    /// Reads the figures of every step but for its speed, which is never the same.
    private static List<String> metrics(Path output) throws IOException {
        return objects(output.resolve("metrics.jsonl")).stream()
                .map(step -> step.without("tokens_per_second").toString())
                .toList();
    }
}
