package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.optim.AdamW;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Figures and rules of LoRA's relatives.
class LoraFamilyTest {
    private static final String TARGET = "model.layers.0.mlp.up_proj";

    private static void assertClose(double[] actual, double[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], offset(tolerance));
        }
    }

    /// Multiplies left (m, r) and right (r, n).
    private static double[] product(WeightComponents.Product p, int m, int r, int n) {
        return Ops.tensor64(p.left(), m, r).matmul(Ops.tensor64(p.right(), r, n)).toDoubles();
    }

    private static WeightComponents components(int rank) {
        return new WeightComponents(new double[] {2, 0, 1, 1}, 2, 2, rank);
    }

    private static Covariances.Damped inputs(double... matrix) {
        return new Covariances.Damped(matrix, new double[] {1 / matrix[0], 0, 0, 1 / matrix[3]});
    }

    @Test
    void takesTheOrientedComponents() {
        var inputs = inputs(4, 0, 0, 1);
        double[] previewed = {1.994912, .403002, 1.010050, .204045};
        double[] kept = {.005088, -.403002, -.010050, .795955};
        assertClose(product(components(1).oriented(inputs, false), 2, 1, 2), previewed, 1e-6);
        assertClose(product(components(1).oriented(inputs, true), 2, 1, 2), kept, 1e-6);
        assertClose(
                product(components(2).oriented(inputs, false), 2, 2, 2),
                new double[] {2, 0, 1, 1},
                1e-9);
    }

    /// A factor's column and its row share a singular value: √S each, but for C⁻¹ on the right.
    @Test
    void sharesTheSingularValuesBetweenTheFactors() {
        assertClose(
                squares(components(2).oriented(inputs(4, 0, 0, 1), false).left(), 2),
                new double[] {8.955558, .893300},
                1e-6);
        WeightComponents.Product pissa = components(2).principal();
        double[] sigma = {2.288246, .874032};
        assertClose(squares(pissa.left(), 2), sigma, 1e-6);
        double[] right = pissa.right();
        double[] transposed = {right[0], right[2], right[1], right[3]};
        assertClose(squares(transposed, 2), sigma, 1e-6);
    }

    /// Returns the sum of squares of each of two columns.
    private static double[] squares(double[] matrix, int rows) {
        double[] sums = new double[2];
        for (int i = 0; i < 2 * rows; i++) {
            sums[i % 2] += matrix[i] * matrix[i];
        }
        return sums;
    }

    @Test
    void isPissaWhereInputsLieInAllDirectionsAlike() {
        double[] principal = {1.894427, .447214, 1.170820, .276393};
        assertClose(product(components(1).principal(), 2, 1, 2), principal, 1e-6);
        assertClose(
                product(components(1).oriented(inputs(1, 0, 0, 1), false), 2, 1, 2),
                principal,
                1e-6);
    }

    @Test
    void doesNotDependOnTheScaleOfInputsOrTheirChunks() {
        var model = TinyModel.create();
        Linear layer = (Linear) model.module(TARGET);
        // Of few bits, so that seven times it is exact.
        Tensor x = Ops.randn(Rng.of(1), 20, layer.in()).mul(64).to(DType.I32).to(DType.F32);
        var whole = Covariances.collect(model, TARGET, () -> layer.call(x));
        var scaled = Covariances.collect(model, TARGET, () -> layer.call(x.mul(7)));
        var chunks =
                Covariances.collect(
                        model,
                        TARGET,
                        () -> {
                            layer.call(x.narrow(0, 0, 5));
                            layer.call(x.narrow(0, 5, 15));
                        });
        assertThat(whole.tokens(TARGET)).isEqualTo(20).isEqualTo(chunks.tokens(TARGET));
        assertClose(scaled.of(TARGET).matrix(), whole.of(TARGET).matrix(), 1e-10);
        for (int mode = 0; mode < 2; mode++) {
            LoraInit.Factors one = corda(mode, whole, layer);
            LoraInit.Factors seven = corda(mode, scaled, layer);
            assertClose(seven.a().toDoubles(), one.a().toDoubles(), 1e-9);
            assertClose(seven.b().toDoubles(), one.b().toDoubles(), 1e-9);
        }
        assertClose(chunks.of(TARGET).matrix(), whole.of(TARGET).matrix(), 1e-10);
        assertThatThrownBy(() -> whole.of("model.layers.1.mlp.up_proj"))
                .hasMessageContaining("same pattern");
    }

    private static LoraInit.Factors corda(int mode, Covariances inputs, Linear layer) {
        LoraInit init =
                mode == 0
                        ? LoraInit.cordaInstructionPreviewed(inputs)
                        : LoraInit.cordaKnowledgePreserved(inputs);
        return init.factors(TARGET, layer, 4, 2, Rng.of(0));
    }

    /// Among products of rank r, the oriented one changes what the layer makes of the inputs least.
    @Test
    void leavesTheSmallestErrorOnTheInputs() {
        double[] c = {4, 0, 0, 1};
        double best = error(product(components(1).oriented(inputs(c), false), 2, 1, 2), c);
        var draw = Rng.of(9).draw();
        for (int i = 0; i < 2000; i++) {
            double[] left = {draw.normal(4L * i) * 2, draw.normal(4L * i + 1) * 2};
            double[] right = {draw.normal(4L * i + 2), draw.normal(4L * i + 3)};
            double[] other = product(new WeightComponents.Product(left, right), 2, 1, 2);
            assertThat(error(other, c)).isGreaterThanOrEqualTo(best - 1e-9);
        }
    }

    private static double error(double[] part, double[] c) {
        double[] w = {2, 0, 1, 1};
        double squares = 0;
        for (int i = 0; i < 4; i++) {
            double d = (w[i] - part[i]) * c[i % 2 == 0 ? 0 : 3];
            squares += d * d;
        }
        return Math.sqrt(squares);
    }

    @Test
    void readsPeftsDora(@TempDir Path folder) throws Exception {
        var model = TinyModel.create();
        Linear layer = (Linear) model.module(TARGET);
        Rng rng = Rng.of(2);
        Tensor a = Ops.randn(rng, 2, layer.in());
        Tensor b = Ops.randn(rng, layer.out(), 2);
        Tensor m = Ops.randn(rng, layer.out()).abs().add(0.5);
        String path = "base_model.model." + TARGET + ".";
        TensorFiles.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of(
                        path + "lora_A.weight", a,
                        path + "lora_B.weight", b,
                        path + "lora_magnitude_vector", m),
                Map.of());
        Files.writeString(
                folder.resolve("adapter_config.json"),
                """
                {"peft_type": "LORA", "use_dora": true, "r": 2, "lora_alpha": 4, "bias": "none",
                 "lora_dropout": 0.0, "target_modules": ["up_proj"], "task_type": "CAUSAL_LM"}
                """);
        Tensor w = layer.weight().detach().to(DType.F64);
        Tensor direction = w.add(b.to(DType.F64).matmul(a.to(DType.F64)).mul(2));
        Tensor lengths = direction.mul(direction).sum(1, false).sqrt();
        Tensor expected = direction.mul(m.to(DType.F64).div(lengths).reshape(layer.out(), 1));
        Adapter.load(model, folder);
        Tensor x = Ops.randn(rng, 3, layer.in());
        assertClose(
                layer.call(x).toDoubles(),
                Ops.linear(x.to(DType.F64), expected, null).toDoubles(),
                1e-5);
    }

    @Test
    void writesSubtractedStartsAsLoraOfTwiceTheRank(@TempDir Path folder) {
        var model = TinyModel.create();
        Lora.rank(2).alpha(6).init(LoraInit.pissa()).attach(model, TARGET).save(folder);
        Map<String, Tensor> tensors = TensorFiles.read(folder.resolve("adapter_model.safetensors"));
        String path = "base_model.model." + TARGET + ".";
        assertThat(tensors).containsOnlyKeys(path + "lora_A.weight", path + "lora_B.weight");
        assertThat(tensors.get(path + "lora_A.weight").dim(0)).isEqualTo(4);
        var fresh = TinyModel.create();
        Lora lora = (Lora) Adapter.load(fresh, folder).method();
        assertThat(lora.rank()).isEqualTo(4);
        assertThat(lora.scale(TARGET)).isEqualTo(3);
    }

    @Test
    void spreadsRanksByWhatInputsExplain() {
        Covariances inputs = LowRankMethods.inputs();
        int layers = inputs.paths().size();
        Map<String, Integer> ranks = Eva.ranks(inputs, 3, 2);
        assertThat(ranks.values().stream().mapToInt(r -> r).sum()).isEqualTo(3 * layers);
        assertThat(ranks.values()).allMatch(r -> r <= 6);
        assertThat(Eva.ranks(inputs, 3, 1).values()).allMatch(r -> r == 3);
        var model = TinyModel.create();
        Lora lora = Eva.redistributed(Lora.rank(3), inputs, 2);
        Adapter adapter = lora.attach(model, MethodCase.LINEAR);
        inputs.paths().forEach(p -> assertThat(lora.rank(p)).isEqualTo(ranks.get(p)));
        assertThat(adapter.targets())
                .containsExactlyElementsOf(
                        inputs.paths().stream().filter(p -> lora.rank(p) > 0).toList());
        assertThatThrownBy(() -> Eva.ranks(inputs, 3, 0.5)).hasMessageContaining("rho");
    }

    @Test
    void leavesAAsDrawnWhereItIsFrozen() {
        var model = TinyModel.create();
        var parameters =
                Lora.rank(2).freezesDown(true).attach(model, MethodCase.LINEAR).parameters();
        assertThat(model.trainable())
                .hasSize(14)
                .allMatch(p -> p.name().endsWith(".lora_B.weight"));
        float[] a = parameters.get(TARGET + ".adapter.lora_A.weight").toFloats();
        var optimizer = AdamW.of(model.trainable()).lr(0.02).weightDecay(0.1);
        for (int step = 0; step < 2; step++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        assertThat(parameters.get(TARGET + ".adapter.lora_A.weight").toFloats()).isEqualTo(a);
    }

    @Test
    void leavesLayersOfRankZeroAlone(@TempDir Path folder) {
        var model = TinyModel.create();
        Adapter adapter =
                Lora.rank(2)
                        .rankOf("layers\\.1\\..*", 0)
                        .rankOf("k_proj", 1)
                        .attach(model, MethodCase.LINEAR);
        assertThat(adapter.targets()).hasSize(7).allMatch(path -> path.contains("layers.0."));
        adapter.save(folder);
        assertThat(
                        JsonObject.read(folder.resolve("adapter_config.json"))
                                .object("rank_pattern")
                                .names())
                .containsExactly("k_proj");
        assertThat(Adapter.load(TinyModel.create(), folder).targets()).isEqualTo(adapter.targets());
        assertThatThrownBy(() -> Lora.rank(2).rankOf("k_proj", -1)).hasMessageContaining("-1");
    }

    @Test
    void letsBLearnFaster() {
        var model = TinyModel.create();
        Adapter adapter = Lora.rank(2).init(LoraInit.orthogonal()).attach(model, TARGET);
        var before = adapter.parameters();
        float[] a = before.get(TARGET + ".adapter.lora_A.weight").toFloats();
        float[] b = before.get(TARGET + ".adapter.lora_B.weight").toFloats();
        var optimizer =
                AdamW.of(model.trainable()).lr(1e-3).weightDecay(0).group(Lora.faster(1e-3, 16));
        optimizer.step(TinyModel.loss(model).backward());
        float[] aNow = before.get(TARGET + ".adapter.lora_A.weight").toFloats();
        float[] bNow = before.get(TARGET + ".adapter.lora_B.weight").toFloats();
        // Adam's first step is the learning rate, whatever the gradient.
        assertThat(Math.abs(aNow[0] - a[0])).isCloseTo(1e-3f, offset(1e-5f));
        assertThat(Math.abs(bNow[0] - b[0])).isCloseTo(16e-3f, offset(1e-4f));
    }

    @Test
    void saysWhatIsWrong() {
        var model = TinyModel.create();
        assertThatThrownBy(() -> Lora.rank(3).init(LoraInit.orthogonal()).attach(model, TARGET))
                .hasMessageContaining("even rank");
        assertThatThrownBy(() -> Lora.rank(17).init(LoraInit.pissa()).attach(model, TARGET))
                .hasMessageContaining("at most 16");
        assertThatThrownBy(() -> Lora.rank(2).dora(true).init(LoraInit.olora()))
                .hasMessageContaining("DoRA");
    }
}
