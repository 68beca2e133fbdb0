package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.spi.DeviceStatistics;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The same model code, adapters and losses on the device as on the CPU.
class TrainingOnDeviceTest {
    private static final Device DEVICE = new Device(TornadoBackend.NAME, 0);
    private static final int TOKENS = 24;

    /// Relative to the CPU's loss.
    private static final double TOLERANCE = 1e-4;

    /// Ids, positions, targets, the targets' weights, which of them count, and the 1 that backward
    /// begins with, each sent as a piece of 1024 numbers.
    private static final long TOKENS_IN = 6L * 1024 * 4;

    private static CausalLM load(String name, Device device, Consumer<CausalLM> prepare) {
        CausalLM model = CausalLM.load(assets().resolve("models").resolve(name));
        prepare.accept(model);
        model.to(device);
        return model;
    }

    /// Finds the real models, which are no part of the project, or skips the test.
    private static Path assets() {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path assets = at.resolve("shared/assets");
            if (Files.isDirectory(assets)) {
                return assets;
            }
        }
        Assumptions.abort("no shared/assets found: models to train are missing");
        throw new AssertionError();
    }

    private static void everything(CausalLM model) {
        model.unfreeze();
    }

    private static void lora(CausalLM model) {
        Lora.rank(4).alpha(8).attach(model, "**.{q,k,v,o,gate,up,down}_proj");
    }

    private static List<Example> examples(int vocabulary) {
        var random = new Random(7);
        var examples = new ArrayList<Example>();
        for (int i = 0; i < 6; i++) {
            examples.add(Example.of(random.ints(TOKENS, 3, vocabulary).toArray()));
        }
        return examples;
    }

    /// What happened in one step.
    private record Step(double loss, DeviceStatistics after) {}

    private static List<Step> train(CausalLM model, int steps) {
        var done = new ArrayList<Step>();
        int vocabulary = model.config().vocabSize();
        Trainer.of(
                        model,
                        AdamW.of(model.trainable()).lr(1e-4).weightDecay(0.1),
                        Objectives.nextToken(model))
                .steps(steps)
                .maxGradNorm(1)
                .onStep(m ->
                        done.add(
                                new Step(
                                        m.loss(),
                                        Backends.of(DEVICE).statistics(DEVICE).orElseThrow())))
                .run(
                        BatchSource.of(
                                Batches.of(examples(vocabulary)).size(2).shuffled(1).endless()));
        return done;
    }

    @ParameterizedTest
    @CsvSource({"stories260k, full, 10", "stories260k, lora, 10", "stories15m, full, 3"})
    void lossesAreThoseOfTheCpu(String name, String method, int steps) {
        Consumer<CausalLM> prepare =
                method.equals("lora")
                        ? TrainingOnDeviceTest::lora
                        : TrainingOnDeviceTest::everything;
        List<Step> cpu = train(load(name, Device.CPU, prepare), steps);
        Backends.clearLog();
        List<Step> device = train(load(name, DEVICE, prepare), steps);

        assertThat(device).hasSize(steps);
        for (int i = 0; i < steps; i++) {
            double expected = cpu.get(i).loss();
            assertThat(device.get(i).loss())
                    .as("step " + (i + 1))
                    .isCloseTo(expected, within(TOLERANCE * expected));
        }
        assertThat(Backends.explain().lines().filter(line -> line.startsWith("tornado ")))
                .isNotEmpty()
                .noneMatch(line -> line.contains("reference"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "lora"})
    void stepsAfterTheFirstCompileAndBuildNothingAndMoveOnlyTokensAndLosses(String method) {
        CausalLM model =
                load(
                        "stories260k",
                        DEVICE,
                        method.equals("lora")
                                ? TrainingOnDeviceTest::lora
                                : TrainingOnDeviceTest::everything);
        List<Step> steps = train(model, 4);
        int parameters = model.trainable().size();

        // what is compared below is counted at all
        assertThat(steps.getFirst().after().compiled()).isPositive();
        assertThat(steps.getFirst().after().plans()).isEqualTo(1);
        assertThat(steps.getFirst().after().graphs()).isGreaterThan(1);

        for (int i = 1; i < steps.size(); i++) {
            DeviceStatistics before = steps.get(i - 1).after();
            DeviceStatistics after = steps.get(i).after();
            assertThat(after.compiled()).as("kernels compiled").isEqualTo(before.compiled());
            assertThat(after.plans()).as("plans built").isEqualTo(before.plans());
            assertThat(after.graphs()).as("graphs built").isEqualTo(before.graphs());
            assertThat(after.bytesIn() - before.bytesIn()).isLessThanOrEqualTo(TOKENS_IN);
            // a number for the loss, one for each gradient's norm, one more in the second step for
            // each gradient that was zero in the first, and the targets, to see which count
            int looks = i == 1 ? 2 * parameters : parameters;
            assertThat(after.bytesOut() - before.bytesOut())
                    .isLessThanOrEqualTo(4L * (looks + 4 + 2 * TOKENS));
            assertThat(after.usedBytes()).isLessThanOrEqualTo(before.usedBytes());
        }
    }

    @ParameterizedTest
    @CsvSource({"stories260k, 40", "stories15m, 20"})
    void generatesTheSameText(String name, int tokens) {
        Sampling greedy = Sampling.greedy().maxTokens(tokens);
        var cpu = load(name, Device.CPU, TrainingOnDeviceTest::everything);
        var device = load(name, DEVICE, TrainingOnDeviceTest::everything);

        assertThat(device.generate("Once upon a time", greedy, piece -> {}))
                .isEqualTo(cpu.generate("Once upon a time", greedy, piece -> {}));
    }
}
