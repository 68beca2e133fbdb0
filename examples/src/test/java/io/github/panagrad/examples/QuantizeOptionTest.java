package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizeOptionTest {
    @TempDir Path folder;

    private CommandLineRun tune(Path model, String name, String... more) throws IOException {
        Path text = folder.resolve("text.txt");
        Files.writeString(
                text, "Once upon a time, Anna went to the park with a red ball. ".repeat(40));
        List<Object> arguments =
                new ArrayList<>(
                        List.of("finetune", "--model", model, "--data", text, "--seq-len", 32));
        arguments.addAll(List.of("--output", folder.resolve(name), "--steps", 3));
        arguments.addAll(List.of(more));
        return CommandLineRun.of(arguments.toArray());
    }

    private double firstLoss(String name) throws IOException {
        Path metrics = folder.resolve(name).resolve("metrics.jsonl");
        return JsonObject.parse("step", Files.readAllLines(metrics).getFirst()).number("loss");
    }

    @Test
    void anAdapterTrainsOnAQuantisedModel() throws IOException {
        Path model = Assets.require("models/stories260k");
        assertThat(tune(model, "plain", "--method", "lora").code()).isZero();
        assertThat(tune(model, "q8", "--method", "lora", "--quantize", "q8").code()).isZero();
        assertThat(tune(model, "nf4", "--method", "lora", "--quantize", "nf4").code()).isZero();

        double plain = firstLoss("plain");
        assertThat(firstLoss("q8")).isNotEqualTo(plain).isCloseTo(plain, offset(0.02));
        assertThat(firstLoss("nf4")).isNotEqualTo(plain).isCloseTo(plain, offset(0.5));
        CommandLineRun generated =
                CommandLineRun.of(
                        "generate",
                        "--model",
                        model,
                        "--quantize",
                        "nf4",
                        "--adapter",
                        folder.resolve("nf4"),
                        "--prompt",
                        "Once",
                        "--max-tokens",
                        "4");
        assertThat(generated.code()).as(generated.err()).isZero();
    }

    @Test
    void refusesWhatWouldTrainQuantisedWeights() throws IOException {
        Path model = Assets.require("models/stories260k");
        CommandLineRun run = tune(model, "full", "--method", "full", "--quantize", "nf4");
        assertThat(run.code()).isNotZero();
        assertThat(run.err()).contains("lora");
    }

    @Test
    void refusesAModelWhoseRowsAreTooShort() throws IOException {
        Path tiny = TinyModel.write(folder.resolve("tiny"));
        JsonObject config = JsonObject.read(tiny.resolve("config.json"));
        var narrow = CausalLM.create(ModelConfig.of(config.with("intermediate_size", 16)), 1);
        narrow.tokenizer(Tokenizer.load(tiny));
        Path model = folder.resolve("narrow");
        narrow.save(model);
        CommandLineRun run = tune(model, "short", "--quantize", "q8");
        assertThat(run.code()).isNotZero();
        assertThat(run.err()).contains("--quantize").contains("32 elements");
    }
}
