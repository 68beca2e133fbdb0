package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Memory;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.StepMetrics;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdaLoraTest {
    private static final String TARGET = "model.layers.0.mlp.up_proj";
    private static final int STEPS = 8;

    private static Objective<Integer> objective(CausalLM model) {
        return (batch, step) -> LossTerm.of(TinyModel.loss(model).mul(18), 18);
    }

    private static BatchSource<Integer> batches() {
        return epoch -> Stream.of(1, 2, 3, 4).toList();
    }

    /// Trains with the budget; returns what the trainer told after each step.
    private static List<StepMetrics> train(
            CausalLM model, Adapter adapter, Objective<Integer> objective) {
        var metrics = new ArrayList<StepMetrics>();
        AdaLoraBudget budget = AdaLora.budget(adapter);
        Trainer.of(model, AdamW.of(model.trainable()).lr(0.02).weightDecay(0), objective)
                .steps(STEPS)
                .transform(budget)
                .onStep(budget)
                .onStep(metrics::add)
                .run(batches());
        return metrics;
    }

    private static int left(Adapter adapter) {
        int left = 0;
        for (LayerAdapter part : adapter.parts().layers().values()) {
            for (boolean keeps : ((AdaLoraLayer) part).pattern()) {
                left += keeps ? 1 : 0;
            }
        }
        return left;
    }

    @Test
    void shrinksTheBudgetByACubic() {
        Adapter adapter =
                AdaLora.rank(2)
                        .initialRank(4)
                        .warmup(10)
                        .finish(20)
                        .attach(TinyModel.create(), "model.layers.0.mlp.*_proj");
        AdaLoraBudget budget = AdaLora.budget(adapter);
        assertThat(budget.budget(1, 100)).isEqualTo(12);
        assertThat(budget.budget(10, 100)).isEqualTo(12);
        assertThat(budget.budget(24, 100)).isEqualTo(9);
        assertThat(budget.budget(45, 100)).isEqualTo(6);
        assertThat(budget.budget(80, 100)).isEqualTo(6);
        assertThat(budget.budget(100, 100)).isEqualTo(6);
    }

    @Test
    void holdsVectorsNearOrthonormal() {
        var model = TinyModel.create();
        Adapter adapter = AdaLora.rank(2).initialRank(2).attach(model, TARGET);
        var part = (AdaLoraLayer) adapter.parts().layers().get(TARGET);
        Rng rng = Rng.of(4);
        part.down().assign(Ops.randn(rng, 2, 16).mul(0.5));
        part.up().assign(Ops.randn(rng, 24, 2).mul(0.5));
        double[] a = part.down().toDoubles();
        double[] b = part.up().toDoubles();
        double[] gramA = new double[4];
        double[] gramB = new double[4];
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 16; j++) {
                gramA[i] += a[i / 2 * 16 + j] * a[i % 2 * 16 + j];
            }
            for (int j = 0; j < 24; j++) {
                gramB[i] += b[j * 2 + i / 2] * b[j * 2 + i % 2];
            }
            gramA[i] -= i % 3 == 0 ? 1 : 0;
            gramB[i] -= i % 3 == 0 ? 1 : 0;
        }
        double normA = norm(gramA);
        Tensor penalty = AdaLora.distance(List.of(part));
        assertThat(penalty.item()).isCloseTo((normA + norm(gramB)) / 2, offset(1e-5));

        // ∂‖A·Aᵀ − I‖/∂A = 2·(A·Aᵀ − I)·A/‖A·Aᵀ − I‖, and half of it for the mean of two.
        double[] gradient = penalty.backward().get(part.down()).toDoubles();
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 16; j++) {
                double expected = (gramA[i * 2] * a[j] + gramA[i * 2 + 1] * a[16 + j]) / normA;
                assertThat(gradient[i * 16 + j]).isCloseTo(expected, offset(1e-5));
            }
        }
    }

    private static double norm(double[] values) {
        double squares = 0;
        for (double value : values) {
            squares += value * value;
        }
        return Math.sqrt(squares);
    }

    @Test
    void addsTheRegulariserToTheMeanLoss() {
        var model = TinyModel.create();
        Adapter adapter =
                AdaLora.rank(2).warmup(2).orthogonality(0.5).attach(model, MethodCase.LINEAR);
        double plain = TinyModel.loss(model).item();
        Tensor penalty = AdaLora.distance(partsOf(adapter));
        double distance = penalty.item();
        Grads grads = penalty.backward();
        for (Parameter p : model.trainable()) {
            assertThat(grads.find(p).isPresent()).isEqualTo(!p.name().endsWith("lora_E"));
        }
        List<StepMetrics> metrics =
                train(model, adapter, AdaLora.regularized(objective(model), adapter));
        assertThat(metrics.getFirst().report().get("orthogonality"))
                .isCloseTo(distance, offset(1e-6));
        assertThat(metrics.getFirst().loss()).isCloseTo(plain + 0.5 * distance, offset(1e-4));
        assertThat(metrics.getLast().report().get("orthogonality")).isLessThan(distance);
    }

    private static List<AdaLoraLayer> partsOf(Adapter adapter) {
        return adapter.parts().layers().values().stream().map(part -> (AdaLoraLayer) part).toList();
    }

    @Test
    void leavesTheBudgetAndComesBackFromFiles(@TempDir Path folder) {
        var model = TinyModel.create();
        Adapter adapter =
                AdaLora.rank(2)
                        .initialRank(4)
                        .alpha(8)
                        .warmup(2)
                        .finish(2)
                        .attach(model, MethodCase.LINEAR);
        int layers = adapter.targets().size();
        List<StepMetrics> metrics =
                train(model, adapter, AdaLora.regularized(objective(model), adapter));
        assertThat(metrics.getLast().loss()).isLessThan(metrics.getFirst().loss());
        assertThat(left(adapter)).isEqualTo(2 * layers);

        adapter.save(folder);
        float[] logits = TinyModel.logits(model).toFloats();
        JsonObject config = JsonObject.read(folder.resolve("adapter_config.json"));
        assertThat(config.string("peft_type")).isEqualTo("ADALORA");
        assertThat(config.integer("init_r")).isEqualTo(4);
        assertThat(config.integer("target_r")).isEqualTo(2);
        assertThat(config.object("rank_pattern").names())
                .isNotEmpty()
                .allMatch(name -> name.endsWith("_proj.lora_E"));
        Map<String, Tensor> tensors = TensorFiles.read(folder.resolve("adapter_model.safetensors"));
        int written = 0;
        for (var entry : tensors.entrySet()) {
            written += entry.getKey().endsWith("lora_E") ? entry.getValue().dim(0) : 0;
        }
        assertThat(written).isEqualTo(2 * layers);

        var fresh = TinyModel.create();
        Adapter back = Adapter.load(fresh, folder);
        assertThat(TinyModel.logits(fresh).toFloats()).isEqualTo(logits);
        assertThat(back.merge(() -> TinyModel.logits(fresh))).isLessThan(1e-4);
        back.unmerge();
        assertThat(TinyModel.logits(fresh).toFloats()).isEqualTo(logits);

        back.save(folder.resolve("again"));
        assertThat(JsonObject.read(folder.resolve("again/adapter_config.json")).get("rank_pattern"))
                .isEqualTo(patternsOf(config, back));
    }

    /// Layers without a direction left are not in the files, and so not in what was loaded.
    private static Object patternsOf(JsonObject config, Adapter loaded) {
        var patterns = JsonObject.of(config.object("rank_pattern").asMap());
        for (String name : config.object("rank_pattern").names()) {
            if (!loaded.targets().contains(name.replace(".lora_E", ""))) {
                patterns = patterns.without(name);
            }
        }
        return JsonObject.parse("test", "{\"p\": " + patterns + "}").get("p");
    }

    @Test
    void cutsOffWhatDoesNotMatter() {
        var model = TinyModel.create();
        Adapter adapter =
                AdaLora.rank(2).initialRank(3).warmup(2).finish(2).attach(model, MethodCase.LINEAR);
        // A direction whose vectors are zero gets no gradient at all.
        for (AdaLoraLayer part : partsOf(adapter)) {
            float[] a = part.down().toFloats();
            float[] b = part.up().toFloats();
            Arrays.fill(a, 0, a.length / 3, 0);
            for (int i = 0; i < b.length; i += 3) {
                b[i] = 0;
            }
            part.down().assign(Ops.tensor(a, 3, a.length / 3));
            part.up().assign(Ops.tensor(b, b.length / 3, 3));
        }
        train(model, adapter, objective(model));
        assertThat(left(adapter)).isEqualTo(2 * adapter.targets().size());
        partsOf(adapter).forEach(part -> assertThat(part.pattern()[0]).isFalse());
    }

    /// Trains, stopped after some steps if asked; returns what the adapter has learnt.
    private static List<float[]> resumed(Path state, long stopAfter) {
        var model = TinyModel.create();
        Trainer<Integer> trainer = remembering(model, state);
        if (stopAfter > 0) {
            long[] step = new long[1];
            trainer.onStep(m -> step[0] = m.step()).stopWhen(() -> step[0] == stopAfter);
            trainer.run(batches());
            model = TinyModel.create();
            trainer = remembering(model, state).resume(state);
        }
        trainer.run(batches());
        var learnt = new ArrayList<float[]>();
        model.trainable().forEach(p -> learnt.add(p.toFloats()));
        learnt.add(TinyModel.logits(model).toFloats());
        return learnt;
    }

    private static Trainer<Integer> remembering(CausalLM model, Path state) {
        Adapter adapter =
                AdaLora.rank(2).initialRank(4).warmup(2).finish(2).attach(model, MethodCase.LINEAR);
        AdaLoraBudget budget = AdaLora.budget(adapter);
        return Trainer.of(
                        model,
                        AdamW.of(model.trainable()).lr(0.02).weightDecay(0),
                        AdaLora.regularized(objective(model), adapter))
                .steps(STEPS)
                .transform(budget)
                .onStep(budget)
                .saveState(state, 0);
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 5, 7})
    void aResumedRunGivesTheBitsOfAnUnbrokenOne(long stop, @TempDir Path folder) {
        var whole = resumed(folder.resolve("whole"), 0);
        var broken = resumed(folder.resolve("broken"), stop);
        for (int i = 0; i < whole.size(); i++) {
            assertThat(broken.get(i)).isEqualTo(whole.get(i));
        }
    }

    @Test
    void remembersWhatAnotherObjectiveRemembers() {
        var model = TinyModel.create();
        Adapter adapter = AdaLora.rank(2).attach(model, TARGET);
        var memory =
                new Memory() {
                    private Map<String, Tensor> kept = Map.of("seen", Ops.tensor(3.0));

                    @Override
                    public Map<String, Tensor> state() {
                        return kept;
                    }

                    @Override
                    public void load(Map<String, Tensor> state) {
                        kept = state;
                    }
                };
        var objective = AdaLora.regularized(objective(model).remembering("inner", memory), adapter);
        var state = objective.state();
        assertThat(state).containsKey("inner/seen").hasSize(1 + 6);
        objective.load(state);
        assertThat(memory.state()).containsOnlyKeys("seen");
        assertThatThrownBy(() -> objective.load(Map.of("inner/seen", Ops.tensor(1.0))))
                .hasMessageContaining("averages of another adapter");
    }

    @Test
    void readsPeftFiles(@TempDir Path folder) throws Exception {
        var model = TinyModel.create();
        Linear layer = (Linear) model.module(TARGET);
        Rng rng = Rng.of(2);
        Tensor a = Ops.randn(rng, 2, layer.in());
        Tensor e = Ops.randn(rng, 2, 1);
        Tensor b = Ops.randn(rng, layer.out(), 2);
        String path = "base_model.model." + TARGET + ".";
        TensorFiles.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of(path + "lora_A", a, path + "lora_E", e, path + "lora_B", b),
                Map.of());
        Path config = folder.resolve("adapter_config.json");
        Files.writeString(
                config,
                """
                {"peft_type": "ADALORA", "init_r": 3, "target_r": 2, "lora_alpha": 5, "r": 8,
                 "bias": "none", "lora_dropout": 0.0, "tinit": 1, "tfinal": 2, "deltaT": 1,
                 "beta1": 0.85, "beta2": 0.85, "orth_reg_weight": 0.5, "total_step": 10,
                 "rank_pattern": {"%s.lora_E": [true, false, true]},
                 "target_modules": ["up_proj"], "task_type": "CAUSAL_LM"}
                """
                        .formatted(TARGET));
        Tensor change =
                b.to(DType.F64).matmul(a.to(DType.F64).mul(e.to(DType.F64))).mul(5 / (3 + 1e-5));
        Tensor expected = layer.weight().detach().to(DType.F64).add(change);
        Adapter adapter = Adapter.load(model, folder);
        Tensor x = Ops.randn(rng, 3, layer.in());
        double[] y = layer.call(x).toDoubles();
        double[] wanted = Ops.linear(x.to(DType.F64), expected, null).toDoubles();
        for (int i = 0; i < y.length; i++) {
            assertThat(y[i]).isCloseTo(wanted[i], offset(1e-5));
        }
        assertThat(partsOf(adapter).getFirst().pattern()).containsExactly(true, false, true);

        JsonObject read = JsonObject.read(config);
        read.with("rank_pattern", Map.of(TARGET + ".lora_E", List.of(true, true))).write(config);
        assertThatThrownBy(() -> Adapter.load(TinyModel.create(), folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("3 times true or false");
        read.write(config);
        TensorFiles.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of(
                        path + "lora_A", a,
                        path + "lora_E", e,
                        path + "lora_B", b,
                        path + "ranknum", Ops.tensor(2.0)),
                Map.of());
        assertThatThrownBy(() -> Adapter.load(TinyModel.create(), folder))
                .hasMessageContaining("ranknum is not the initial rank");
    }

    @Test
    void saysWhatIsWrong() {
        var model = TinyModel.create();
        Adapter lora = Lora.rank(2).attach(model, TARGET);
        assertThatThrownBy(() -> AdaLora.budget(lora)).hasMessageContaining("LORA");
        lora.detach();
        assertThatThrownBy(() -> AdaLora.rank(4).initialRank(3)).hasMessageContaining("4 of");
        assertThatThrownBy(() -> AdaLora.rank(4).every(0)).hasMessageContaining("every >= 1");
        Adapter adapter = AdaLora.rank(2).warmup(5).finish(5).attach(model, TARGET);
        assertThatThrownBy(() -> train(model, adapter, objective(model)))
                .hasMessageContaining("warm-up 5, finish 5");
    }
}
