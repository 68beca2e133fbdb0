package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Everything that can be wrong with what a user gives is answered by one line and exit code 2.
class BadInputTest {
    @TempDir Path folder;
    private Path model;
    private Path data;

    @BeforeEach
    void goodModelAndData() throws IOException {
        model = TinyModel.write(folder.resolve("model"));
        data = folder.resolve("data.jsonl");
        Files.writeString(data, "{\"text\": \"Anna went to the park.\"}\n");
    }

    @Test
    void noModel() {
        assertThat(errorOf("eval", "--model", folder.resolve("nowhere"), "--data", data))
                .contains("nowhere", "no such file");
    }

    @Test
    void truncatedWeights() throws IOException {
        Path weights = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(bytes, bytes.length - 100));

        assertThat(errorOf("eval", "--model", model, "--data", data)).contains("model.safetensors");
    }

    @Test
    void weightsThatContradictTheConfig() throws IOException {
        Path config = model.resolve("config.json");
        JsonObject.read(config).with("intermediate_size", 48).write(config);

        assertThat(errorOf("eval", "--model", model, "--data", data)).contains("mlp", "48");
    }

    @Test
    void weightsThatAreMissing() throws IOException {
        Path config = model.resolve("config.json");
        JsonObject.read(config).with("num_hidden_layers", 3).write(config);

        assertThat(errorOf("eval", "--model", model, "--data", data)).contains("layers.2");
    }

    @Test
    void tokenizerOfAnotherModel() throws IOException {
        Path file = model.resolve("tokenizer.json");
        String json = Files.readString(file);
        Files.writeString(file, json.replace("\"vocab\":{", "\"vocab\":{\"longer\":999,"));
        if (json.equals(Files.readString(file))) {
            Files.writeString(
                    file, json.replaceFirst("\"vocab\" *: *\\{", "\"vocab\": {\"longer\": 999,"));
        }

        assertThat(errorOf("eval", "--model", model, "--data", data))
                .contains("more ids than the embedding has rows");
    }

    @Test
    void emptyData() throws IOException {
        Files.writeString(data, "");
        assertThat(tuningError()).contains("data.jsonl", "empty");
    }

    @Test
    void rowWithoutTheNamedField() {
        assertThat(tuningError("--prompt-field", "question", "--text-field", "story"))
                .contains("data.jsonl:1");
    }

    @Test
    void rowThatIsNoJson() throws IOException {
        Files.writeString(data, "{\"text\": \"fine\"}\n{\"text\": \"not\n");
        assertThat(tuningError()).contains("data.jsonl:2");
    }

    @Test
    void rowLongerThanTheContext() throws IOException {
        Files.writeString(
                data, JsonObject.of("text", "Anna went to the park. ".repeat(50)).toString());
        assertThat(tuningError()).contains("data.jsonl:1", "" + TinyModel.CONTEXT);
    }

    @Test
    void windowLongerThanTheContext() {
        assertThat(tuningError("--seq-len", 1000)).contains("context", "1000");
    }

    @Test
    void allLabelsIgnored() throws IOException {
        Files.writeString(data, "{\"input_ids\": [1, 5, 6], \"labels\": [-100, -100, -100]}\n");
        assertThat(tuningError()).contains("data.jsonl");
    }

    @Test
    void unknownKindOfData() throws IOException {
        data = Files.writeString(folder.resolve("data.csv"), "a,b\n");
        assertThat(tuningError()).contains("data.csv", ".jsonl");
    }

    @Test
    void outputInAPlaceThatIsTaken() throws IOException {
        Path taken = Files.writeString(folder.resolve("taken"), "");
        assertThat(
                        errorOf(
                                "finetune",
                                "--model",
                                model,
                                "--data",
                                data,
                                "--output",
                                taken.resolve("below")))
                .contains("nothing can be written there");
    }

    @Test
    void lossThatIsNotANumber() throws IOException {
        Files.writeString(data, "{\"text\": \"Anna went to the park.\"}\n".repeat(20));

        String error =
                tuningError(
                        "--method", "full", "--lr", "1e38", "--batch-size", 1, "--warmup-steps", 0);

        assertThat(error).contains("not finite", "step ");
        assertThat(folder.resolve("out/training-state.safetensors")).exists();
        assertThat(folder.resolve("out/metrics.jsonl")).isNotEmptyFile();
    }

    @Test
    void layersThatAreNotThere() {
        assertThat(tuningError("--targets", "query_proj")).contains("query_proj");
    }

    @Test
    void numbersOutOfRange() {
        assertThat(tuningError("--rank", 0)).contains("rank");
        assertThat(tuningError("--method", "sparse", "--density", 2)).contains("density");
        assertThat(tuningError("--batch-size", 0)).contains("size");
        assertThat(tuningError("--threads", 0)).contains("threads");
        assertThat(tuningError("--dropout", 1)).contains("dropout");
        assertThat(tuningError("--method", "half")).contains("--method");
        assertThat(tuningError("--steps", 1, "--epochs", 1)).contains("mutually exclusive");
    }

    private String tuningError(Object... more) {
        List<Object> arguments =
                new ArrayList<>(
                        List.of(
                                "finetune",
                                "--model",
                                model,
                                "--data",
                                data,
                                "--output",
                                folder.resolve("out")));
        arguments.addAll(List.of(more));
        return errorOf(arguments.toArray());
    }

    /// Runs into an error and returns its line, the last on standard error.
    private static String errorOf(Object... arguments) {
        CommandLineRun run = CommandLineRun.of(arguments);
        assertThat(run.code()).as(run.out() + run.err()).isEqualTo(2);
        List<String> lines =
                run.err().lines().filter(line -> line.startsWith("panagrad ")).toList();
        assertThat(lines).as(run.err()).hasSize(1);
        assertThat(run.err().strip()).endsWith(lines.getFirst());
        assertThat(lines.getFirst()).doesNotContain("unexpected");
        return lines.getFirst();
    }
}
