package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.examples.catalog.ObjectiveCatalog;
import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.BertModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Encoders on the command line: labels, texts that belong together, numbers.
class EncoderTuningTest {
    @TempDir static Path shared;
    private static Path encoder;
    private static Path labelled;

    @TempDir Path folder;

    @BeforeAll
    static void encoderAndData() throws IOException {
        encoder = shared.resolve("encoder");
        Files.createDirectories(encoder);
        TinyModel.write(shared.resolve("llama"));
        Files.copy(shared.resolve("llama/tokenizer.json"), encoder.resolve("tokenizer.json"));
        JsonObject config =
                JsonObject.of(
                        "model_type", "bert",
                        "vocab_size", 320,
                        "hidden_size", 16,
                        "intermediate_size", 32,
                        "num_hidden_layers", 2,
                        "num_attention_heads", 2,
                        "max_position_embeddings", 32,
                        "type_vocab_size", 2);
        BertModel.create(ModelConfig.of(config), 1).save(encoder);
        labelled = shared.resolve("labelled.jsonl");
        var lines = new ArrayList<String>();
        for (String name : List.of("Anna", "Ben", "Clara", "David", "Emma", "Felix")) {
            lines.add(
                    JsonObject.of("text", name + " went to the park.", "label", "walk").toString());
            lines.add(
                    JsonObject.of("text", name + " found a red ball.", "label", "find").toString());
        }
        Files.write(labelled, lines);
    }

    @ParameterizedTest
    @CsvSource({
        "full, linear, ce",
        "lora, linear, ce",
        "lora, layers, supcon",
        "full, linear, core",
        "ia3:targets=key+value, linear, focal:balanced=true",
        "prefix:tokens=4, linear, ce",
        "'mask:dropout=1,init=0.03,threshold=0', linear, ce"
    })
    void learnsLabelsThatClassifyGives(String method, String head, String objective)
            throws IOException {
        Path output = folder.resolve("out");
        CommandLineRun run =
                CommandLineRun.of(
                        "finetune",
                        "--model",
                        encoder,
                        "--data",
                        labelled,
                        "--eval-data",
                        labelled,
                        "--output",
                        output,
                        "--method",
                        method,
                        "--head",
                        head,
                        "--objective",
                        objective,
                        "--steps",
                        60,
                        "--batch-size",
                        8,
                        "--lr",
                        "1e-2");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.err()).contains("data: 12 rows, 2 labels");
        List<JsonObject> measured = objects(output.resolve("eval.jsonl"));
        assertThat(measured.getLast().number("accuracy")).isEqualTo(1);
        assertThat(measured.getLast().number("loss"))
                .isLessThan(measured.getFirst().number("loss"));

        boolean whole = method.equals("full");
        CommandLineRun classified =
                whole
                        ? CommandLineRun.of(
                                "classify",
                                "--model",
                                output,
                                "Anna went to the park.",
                                "Ben found a red ball.")
                        : CommandLineRun.of(
                                "classify",
                                "--model",
                                encoder,
                                "--adapter",
                                output,
                                "Anna went to the park.",
                                "Ben found a red ball.");
        assertThat(classified.code()).as(classified.err()).isZero();
        assertThat(classified.out().lines().map(l -> l.substring(0, l.indexOf('\t'))))
                .containsExactly("walk", "find");
    }

    /// Pairs have no distribution that could be held to what it was.
    @Test
    void masksLearnPairsWithoutGradientDropout() throws IOException {
        Path pairs = folder.resolve("pairs.jsonl");
        Files.write(
                pairs,
                Stream.of("Anna", "Ben", "Clara", "David")
                        .map(name ->
                                JsonObject.of("anchor", name, "positive", name + " sang.")
                                        .toString())
                        .toList());
        for (String method : List.of("mask", "mask:dropout=0.5")) {
            CommandLineRun run =
                    CommandLineRun.of(
                            "finetune",
                            "--model",
                            encoder,
                            "--data",
                            pairs,
                            "--output",
                            folder.resolve(method.replace(':', '-')),
                            "--method",
                            method,
                            "--objective",
                            "info-nce",
                            "--steps",
                            2,
                            "--batch-size",
                            4);
            if (method.equals("mask")) {
                assertThat(run.code()).as(run.err()).isZero();
                assertThat(run.err()).contains("masks of ").contains(" weights in 8 layers");
            } else {
                assertThat(run.err())
                        .contains("gradient dropout compares")
                        .contains("leave the setting dropout out");
            }
        }
    }

    @Test
    void prefixesLeaveRoomInTheContext() {
        CommandLineRun run =
                CommandLineRun.of(
                        "finetune",
                        "--model",
                        encoder,
                        "--data",
                        labelled,
                        "--output",
                        folder.resolve("long"),
                        "--method",
                        "prefix:tokens=31");
        assertThat(run.err()).contains("takes all positions").contains("at most 30");
    }

    static Stream<String> everyObjective() {
        return ObjectiveCatalog.CATALOG.entries().stream()
                .map(e -> e.name())
                .filter(name -> !List.of("distill", "poft", "siu").contains(name))
                .filter(name ->
                        ObjectiveCatalog.CATALOG.make(name).stream()
                                .anyMatch(goal -> !(goal instanceof Goal.Language)));
    }

    @ParameterizedTest
    @MethodSource("everyObjective")
    void trainsToEveryEnd(String name) throws IOException {
        Goal goal =
                ObjectiveCatalog.CATALOG.make(name).stream()
                        .filter(g -> !(g instanceof Goal.Language))
                        .findFirst()
                        .orElseThrow();
        Path data =
                switch (goal) {
                    case Goal.Alike alike -> rows("anchor", "positive");
                    case Goal.Apart apart -> rows("anchor", "positive", "negative");
                    case Goal.Values values -> numbers();
                    default -> labelled;
                };
        var arguments =
                new ArrayList<Object>(
                        List.of(
                                "finetune",
                                "--model",
                                encoder,
                                "--data",
                                data,
                                "--output",
                                folder.resolve("out"),
                                "--objective",
                                name,
                                "--steps",
                                3,
                                "--batch-size",
                                4));
        if (!(goal instanceof Goal.Classes)) {
            arguments.addAll(List.of("--eval-data", data));
        }
        for (String method : List.of("lora", "full")) {
            var all = new ArrayList<>(arguments);
            all.addAll(List.of("--method", method));
            CommandLineRun run = CommandLineRun.of(all.toArray());
            assertThat(run.code()).as(run.err()).isZero();
            assertThat(objects(folder.resolve("out/metrics.jsonl"))).hasSize(3);
        }
    }

    private Path rows(String... fields) throws IOException {
        Path file = folder.resolve("rows.jsonl");
        var lines = new ArrayList<String>();
        for (String name : List.of("Anna", "Ben", "Clara", "David")) {
            var row = JsonObject.of();
            for (String field : fields) {
                row = row.with(field, name + " is the " + field);
            }
            lines.add(row.toString());
        }
        Files.write(file, lines);
        return file;
    }

    private Path numbers() throws IOException {
        Path file = folder.resolve("numbers.jsonl");
        Files.write(
                file,
                List.of(
                        "{\"text\": \"a red ball\", \"label\": 0.25}",
                        "{\"text\": \"the park\", \"label\": 0.75}"));
        return file;
    }

    @Test
    void goesOnAsIfItHadNeverStopped() throws IOException {
        for (String part : List.of("whole", "parts")) {
            for (int steps : part.equals("whole") ? new int[] {4} : new int[] {2, 4}) {
                var arguments =
                        new ArrayList<Object>(
                                List.of(
                                        "finetune",
                                        "--model",
                                        encoder,
                                        "--data",
                                        labelled,
                                        "--output",
                                        folder.resolve(part),
                                        "--steps",
                                        steps,
                                        "--batch-size",
                                        4,
                                        "--objective",
                                        "supcon:lambda=0",
                                        "--schedule",
                                        "constant",
                                        "--warmup-steps",
                                        0));
                if (steps == 4 && part.equals("parts")) {
                    arguments.add("--resume");
                }
                CommandLineRun run = CommandLineRun.of(arguments.toArray());
                assertThat(run.code()).as(run.err()).isZero();
            }
        }
        assertThat(folder.resolve("parts/adapter_model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("whole/adapter_model.safetensors"));
    }

    /// What is hard counts for more, and wrong labels are hard.
    @Test
    void warnsOfFocalLossOnWrongLabels() {
        for (String objective : List.of("focal:gamma=1", "gce")) {
            for (String noise : List.of("0", "0.25")) {
                CommandLineRun run =
                        CommandLineRun.of(
                                "finetune",
                                "--model",
                                encoder,
                                "--data",
                                labelled,
                                "--output",
                                folder.resolve(objective.substring(0, 3) + noise),
                                "--objective",
                                objective,
                                "--label-noise",
                                noise,
                                "--steps",
                                1);
                assertThat(run.code()).as(run.err()).isZero();
                assertThat(run.err().contains("warning: focal"))
                        .isEqualTo(objective.startsWith("focal") && noise.equals("0.25"));
            }
        }
    }

    @Test
    void saysWhatDoesNotFit() throws IOException {
        assertThat(failure("--objective", "dpo")).contains("holds an encoder");
        Path data = folder.resolve("bad.jsonl");
        Files.write(data, List.of("{\"text\": \"a\", \"label\": \"x\"}", "{\"text\": \"b\"}"));
        assertThat(failure("--data", data)).contains("bad.jsonl:2").contains("label");
        assertThat(failure("--eval-data", rowsWithLabel("other"))).contains("none of the labels");
        assertThat(failure("--method", "prefix")).isNotBlank();
        assertThat(failure("--mask-thought", "0.4")).contains("would do nothing");
        assertThat(failure("--objective", "batch-hard", "--eval-data", labelled))
                .contains("--eval-data");
        assertThat(CommandLineRun.of("classify", "--model", encoder, "a").err())
                .contains("without a head");
    }

    private Path rowsWithLabel(String label) throws IOException {
        Path file = folder.resolve("other.jsonl");
        Files.write(file, List.of(JsonObject.of("text", "a", "label", label).toString()));
        return file;
    }

    private String failure(Object... more) {
        var arguments = new ArrayList<Object>(List.of("finetune", "--model", encoder));
        if (!List.of(more).contains("--data")) {
            arguments.addAll(List.of("--data", labelled));
        }
        arguments.addAll(List.of("--output", folder.resolve("fails"), "--steps", 1));
        arguments.addAll(List.of(more));
        CommandLineRun run = CommandLineRun.of(arguments.toArray());
        assertThat(run.code()).isEqualTo(2);
        return run.err();
    }

    private static List<JsonObject> objects(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .map(line -> JsonObject.parse(file.toString(), line))
                .toList();
    }
}
