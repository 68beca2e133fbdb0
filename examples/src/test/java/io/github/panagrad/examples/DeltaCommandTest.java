package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.DenseDelta;
import io.github.panagrad.adapters.delta.LowRankDelta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.models.CausalLM;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeltaCommandTest {
    private static final String UP = "model.layers.1.mlp.up_proj.weight";
    private static final String FIRST = "model.layers.0.mlp.up_proj.weight";

    @TempDir static Path shared;
    private static Path model;
    private static Path adapter;
    private static Path delta;

    @TempDir Path folder;

    @BeforeAll
    static void modelAndChanges() {
        model = TinyModel.write(shared.resolve("model"));
        CausalLM base = CausalLM.load(model);
        var changes = new LinkedHashMap<String, TensorDelta>();
        var rng = Rng.of(4);
        for (String path : List.of(FIRST, UP)) {
            changes.put(path, DenseDelta.of(Ops.randn(rng, 32, 16).mul(0.1)));
        }
        delta = shared.resolve("delta");
        Delta.of(changes).save(delta);
        var lora = Lora.rank(1).attach(base, "model.layers.**.up_proj");
        lora.parameters().values().forEach(p -> p.assign(Ops.full(p.dtype(), p.shape(), 2)));
        adapter = shared.resolve("adapter");
        lora.save(adapter);
    }

    private CommandLineRun run(String command, Object... more) {
        var arguments = new ArrayList<Object>(List.of("delta", command, "--model", model));
        arguments.addAll(List.of(more));
        return CommandLineRun.of(arguments.toArray());
    }

    private Delta result(String command, Object... more) {
        Path output = folder.resolve(command);
        var arguments = new ArrayList<Object>(List.of(more));
        arguments.addAll(List.of("--output", output));
        CommandLineRun run = run(command, arguments.toArray());
        assertThat(run.code()).as(run.err()).isZero();
        return Delta.load(output);
    }

    private static float first(Delta delta, String path) {
        TensorDelta change = delta.changes().get(path);
        assertThat(change).isNotNull();
        return change.dense().toFloats()[0];
    }

    @Test
    void composesChangesOfAllKinds() {
        Delta sum = result("compose", delta, adapter);
        float expected = first(Delta.load(delta), UP) + 2 * 2 * 2;
        assertThat((double) first(sum, UP)).isCloseTo(expected, within(1e-5));
        assertThat(result("compose", adapter).changes().get(UP)).isInstanceOf(LowRankDelta.class);
    }

    @Test
    void appliesAndTakesTheDifferenceBack() {
        Path tuned = folder.resolve("tuned");
        CommandLineRun run = run("apply", "--output", tuned, delta);
        assertThat(run.code()).as(run.err()).isZero();
        Delta back = result("compose", tuned);
        assertThat(back.changes()).containsOnlyKeys(FIRST, UP);
        assertThat((double) first(back, UP)).isCloseTo(first(Delta.load(delta), UP), within(1e-6));
    }

    @Test
    void scalesByDepth() {
        Delta scaled = result("scale", "--alpha", "0.25", delta);
        Delta whole = Delta.load(delta);
        assertThat((double) first(scaled, FIRST))
                .isCloseTo(0.25 * first(whole, FIRST), within(1e-6));
        assertThat(first(scaled, UP)).isEqualTo(first(whole, UP));
    }

    @Test
    void searchesForTheScale() throws IOException {
        Path text = folder.resolve("text.txt");
        Files.writeString(text, "Anna went to the park. Ben found a red ball. ".repeat(5));
        CommandLineRun run =
                run(
                        "scale",
                        "--target",
                        text,
                        "--control",
                        text,
                        "--output",
                        folder.resolve("found"),
                        delta);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("<- best");
        assertThat(run.out().lines().count()).isEqualTo(1 + 11 + 1);
    }

    @Test
    void merges() {
        Delta whole = Delta.load(delta);
        assertThat((double) first(result("merge", "--by", "average", delta, delta), UP))
                .isCloseTo(first(whole, UP), within(1e-6));
        // Each change twice: α = 1/2 of a sum of two, and the last block has β more.
        Delta scaled = result("merge", "--beta", "0.5", delta, delta);
        assertThat((double) first(scaled, FIRST)).isCloseTo(first(whole, FIRST), within(1e-6));
        assertThat((double) first(scaled, UP)).isCloseTo(2 * first(whole, UP), within(1e-5));
        assertThat(result("merge", "--by", "ties", delta, delta).changes()).hasSize(2);
        assertThat(result("merge", "--by", "consensus", delta, delta).changes()).hasSize(2);
    }

    @Test
    void countsAndDampsIntruders() {
        CommandLineRun report = run("spectra", "--epsilon", "0.6", "--k", "2", "--json", adapter);
        assertThat(report.code()).as(report.err()).isZero();
        int before = JsonObject.parse("report", report.out()).integer("intruders");
        assertThat(before).isPositive();
        assertThat(run("spectra", adapter).out()).contains("intruders (k = 10");

        Path damped = folder.resolve("damped");
        CommandLineRun run =
                run(
                        "damp",
                        "--lambda",
                        "0",
                        "--epsilon",
                        "0.6",
                        "--k",
                        "2",
                        "--output",
                        damped,
                        adapter);
        assertThat(run.code()).as(run.err()).isZero();
        CommandLineRun again = run("spectra", "--epsilon", "0.6", "--k", "1", "--json", damped);
        assertThat(JsonObject.parse("report", again.out()).integer("intruders")).isLessThan(before);
    }

    @Test
    void listsConditionNumbers() {
        CommandLineRun run = run("condition", "--max-dim", "100");
        assertThat(run.code()).as(run.err()).isZero();
        // Seven matrices in each of two blocks, and a line above them.
        assertThat(run.out().lines().count()).isEqualTo(1 + 2 * 7);
        assertThat(run.out()).contains("relative").doesNotContain("embed_tokens");
    }

    @Test
    void resetsHalfOfATunedModel() {
        Path tuned = folder.resolve("tuned");
        var every = new LinkedHashMap<String, TensorDelta>();
        CausalLM base = CausalLM.load(model);
        base.stateDict()
                .forEach(
                        (path, t) -> every.put(path, DenseDelta.of(Ops.ones(t.shape().toArray()))));
        Delta.of(every).apply(base);
        base.save(tuned);
        Path output = folder.resolve("reset");
        CommandLineRun run = run("reset", "--seed", "3", "--output", output, tuned);
        assertThat(run.code()).as(run.err()).isZero();
        CausalLM reset = CausalLM.load(output);
        CausalLM before = CausalLM.load(model);
        long back = 0;
        long all = 0;
        for (var entry : reset.selection().blocks(b -> true)) {
            float[] was = before.stateDict().get(entry.path()).toFloats();
            boolean same = Arrays.equals(entry.parameter().toFloats(), was);
            back += same ? entry.parameter().size() : 0;
            all += entry.parameter().size();
        }
        // Keys and values are half as large as queries, so that it is near a half.
        assertThat((double) back / all).isBetween(0.4, 0.6);
    }

    @Test
    void drawsCosinesOfEitherSide() throws IOException {
        Path page = folder.resolve("spectra.html");
        for (String side : List.of("left", "right")) {
            CommandLineRun run =
                    run("spectra", "--k", "3", "--side", side, "--html", page, "--json", adapter);
            assertThat(run.code()).as(run.err()).isZero();
            assertThat(JsonObject.parse("report", run.out()).string("side")).isEqualTo(side);
            assertThat(Files.readString(page))
                    .contains(side + " vectors")
                    .contains("model.layers.1.mlp.up_proj.weight")
                    .contains("</html>");
        }
        assertThat(
                        run(
                                        "spectra",
                                        "--html",
                                        adapter.resolve("adapter_config.json").resolve("page"),
                                        adapter)
                                .err())
                .contains("cannot be written");
    }

    @Test
    void saysWhatIsWrong() {
        assertThat(run("compose", "--output", folder.resolve("o"), folder).err())
                .contains("no change of a model")
                .contains("adapter_config.json");
        assertThat(run("scale", "--output", folder.resolve("o"), delta).err())
                .contains("either --alpha, or --target and --control");
        assertThat(
                        run(
                                        "scale",
                                        "--alpha",
                                        "1",
                                        "--target",
                                        "t.txt",
                                        "--output",
                                        folder.resolve("o"),
                                        delta)
                                .err())
                .contains("not one way");
        assertThat(CommandLineRun.of("delta").err()).contains("a command is missing", "compose");
        assertThat(
                        run("merge", "--by", "magic", "--output", folder.resolve("o"), delta, delta)
                                .code())
                .isNotZero();
    }
}
