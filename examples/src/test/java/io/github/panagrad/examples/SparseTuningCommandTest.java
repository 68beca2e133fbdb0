package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.models.CausalLM;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Sparse methods by command: stopped runs go on with the same bits, and what is written is right.
class SparseTuningCommandTest {
    @TempDir private static Path folder;
    private static Path model;
    private static Path text;

    private final int threads = Parallel.threads();

    @BeforeAll
    static void files() throws IOException {
        model = TinyModel.write(folder.resolve("model"));
        text = folder.resolve("text.txt");
        Files.writeString(text, "Anna has a red ball. Ben has a blue kite. ".repeat(12));
    }

    @AfterEach
    void threadsAsTheyWere() {
        Parallel.setThreads(threads);
    }

    private static Path tune(String name, String method, Object... more) {
        Path output = folder.resolve(name);
        List<Object> arguments =
                new ArrayList<>(
                        List.of(
                                "finetune",
                                "--model",
                                model,
                                "--data",
                                text,
                                "--output",
                                output,
                                "--method",
                                method,
                                "--schedule",
                                "constant",
                                "--warmup-steps",
                                0,
                                "--batch-size",
                                2,
                                "--lr",
                                "5e-3"));
        arguments.addAll(List.of(more));
        CommandLineRun run = CommandLineRun.of(arguments.toArray());
        assertThat(run.code()).as(run.err()).isZero();
        return output;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hft:round=epoch,outside=train",
                "mask:dropout=1",
                "random-mask:density=0.1",
                "magnitude-mask:density=0.1",
                "lt-sft:density=0.1,full-steps=3",
                "lt-sft:density=0.1,full-steps=3,l1-full=5,l1-sparse=20"
            })
    void goesOnFromASavedStateAsIfItHadNeverStopped(String method) {
        String name = method.replaceAll("[:,=]", "-");
        Path whole = tune(name + "-whole", method, "--steps", 9);
        Path parts = tune(name + "-parts", method, "--steps", 4);
        tune(name + "-parts", method, "--steps", 9, "--resume");
        String result = name.startsWith("mask") ? "adapter_model.safetensors" : "model.safetensors";
        assertThat(parts.resolve(result)).hasSameBinaryContentAs(whole.resolve(result));
    }

    @Test
    void writesTheChangeBesideTheModel() {
        Path output = tune("change", "lt-sft:density=0.05", "--steps", 4);
        CausalLM base = CausalLM.load(model);
        Delta delta = Delta.load(output);
        assertThat(delta.stored())
                .isLessThanOrEqualTo(Math.round(0.05 * base.parameterCount()))
                .isPositive();
        delta.apply(base);
        CausalLM tuned = CausalLM.load(output);
        base.stateDict()
                .forEach((path, t) ->
                        assertThat(t.toFloats()).isEqualTo(tuned.stateDict().get(path).toFloats()));
    }

    @Test
    void pullsEntriesTowardsTheirFirstValues() {
        double[] far = new double[3];
        String[] pulls = {"", ",l1-sparse=3000", ",l1-full=3000"};
        for (int i = 0; i < pulls.length; i++) {
            Path output = tune("pull" + i, "lt-sft:density=0.1" + pulls[i], "--steps", 6);
            for (TensorDelta change : Delta.load(output).changes().values()) {
                far[i] += change.dense().abs().sum().item();
            }
        }
        assertThat(far[1]).isLessThan(0.9 * far[0]).isPositive();
        // A pull on the full phase alone chooses others.
        assertThat(far[2]).isNotEqualTo(far[0]).isPositive();
    }

    @Test
    void saysHowManyWeightsAreOff() {
        CommandLineRun run =
                CommandLineRun.of(
                        "finetune",
                        "--model",
                        model,
                        "--data",
                        text,
                        "--output",
                        folder.resolve("mask-said"),
                        "--method",
                        "mask",
                        "--steps",
                        1);
        assertThat(run.err()).contains("masks of ").contains("0.00 % off");
        assertThat(TensorFiles.read(folder.resolve("mask-said/adapter_model.safetensors")))
                .allSatisfy((name, bits) -> assertThat(name).endsWith(".mask_bits"));
    }
}
