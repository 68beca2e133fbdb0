package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/// A tiny model and data to fine-tune it on, by the command line.
abstract class FinetuneRuns {
    @TempDir static Path shared;
    static Path model;
    static Path rows;
    static Path text;

    @TempDir Path folder;

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

    static double loss(Object... source) {
        List<Object> arguments = new ArrayList<>(List.of("eval", "--data", text, "--json"));
        arguments.addAll(List.of(source));
        CommandLineRun run = CommandLineRun.of(arguments.toArray());
        assertThat(run.code()).as(run.err()).isZero();
        JsonObject result = JsonObject.parse("eval", run.out());
        assertThat(result.names()).containsExactly("loss", "perplexity", "tokens");
        return result.number("loss");
    }

    Path tune(String name, Object... more) {
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

    static Object[] with(String[] some, String... more) {
        List<Object> all = new ArrayList<>(List.of(some));
        all.addAll(List.of(more));
        return all.toArray();
    }

    static List<JsonObject> objects(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .map(line -> JsonObject.parse(file.toString(), line))
                .toList();
    }

    /// Reads the figures of every step but for its speed, which is never the same.
    static List<String> metrics(Path output) throws IOException {
        return objects(output.resolve("metrics.jsonl")).stream()
                .map(step -> step.without("tokens_per_second").toString())
                .toList();
    }
}
