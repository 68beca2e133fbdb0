package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.examples.catalog.Entry;
import io.github.panagrad.examples.catalog.Methods;
import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FinetuneCommandTest extends FinetuneRuns {
    private final int threads = Parallel.threads();

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
}
