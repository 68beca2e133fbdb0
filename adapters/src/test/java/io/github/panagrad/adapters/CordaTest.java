package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.optim.AdamW;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What CorDA promises beyond the figures in [LoraFamilyTest].
class CordaTest {
    private static final String TARGET = "model.layers.0.self_attn.q_proj";
    private static final int OUT = 7;
    private static final int IN = 5;

    private static double[] normal(long seed, int count) {
        return Ops.randn(Rng.of(seed), count).toDoubles();
    }

    /// Makes Σ x·xᵀ over random inputs.
    private static double[] covariance() {
        double[] x = normal(3, 40 * IN);
        double[] c = new double[IN * IN];
        for (int t = 0; t < 40; t++) {
            for (int i = 0; i < IN * IN; i++) {
                c[i] += x[t * IN + i / IN] * x[t * IN + i % IN];
            }
        }
        return c;
    }

    private static WeightComponents.Product oriented(int rank, double factor, boolean smallest) {
        var weight = new WeightComponents(normal(5, OUT * IN), OUT, IN, rank);
        Covariances.Damped one = Covariances.damped(covariance(), IN);
        double[] matrix = Arrays.stream(one.matrix()).map(c -> c * factor).toArray();
        double[] inverse = Arrays.stream(one.inverse()).map(c -> c / factor).toArray();
        return weight.oriented(new Covariances.Damped(matrix, inverse), smallest);
    }

    private static double[] product(WeightComponents.Product p, int rank) {
        return Ops.tensor64(p.left(), OUT, rank)
                .matmul(Ops.tensor64(p.right(), rank, IN))
                .toDoubles();
    }

    private static void assertClose(double[] actual, double[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], offset(tolerance));
        }
    }

    @Test
    void startsAsTheBaseModelAtEveryRank() {
        Covariances inputs = LowRankMethods.inputs();
        var model = TinyModel.create();
        double[] before = TinyModel.logits(model).toDoubles();
        for (LoraInit init :
                List.of(
                        LoraInit.cordaInstructionPreviewed(inputs),
                        LoraInit.cordaKnowledgePreserved(inputs))) {
            // The smallest weights have eight rows.
            for (int rank = 1; rank <= 8; rank++) {
                Adapter adapter = Lora.rank(rank).init(init).attach(model, MethodCase.LINEAR);
                assertClose(TinyModel.logits(model).toDoubles(), before, 1e-5);
                adapter.detach();
            }
        }
    }

    @Test
    void hasNoRestAtFullRank() {
        Covariances inputs = LowRankMethods.inputs();
        Linear layer = (Linear) TinyModel.create().module(TARGET);
        for (LoraInit init :
                List.of(
                        LoraInit.cordaInstructionPreviewed(inputs),
                        LoraInit.cordaKnowledgePreserved(inputs),
                        LoraInit.pissa(),
                        LoraInit.olora())) {
            LoraInit.Factors factors = init.factors(TARGET, layer, 16, 2, Rng.of(0));
            double[] component = factors.b().matmul(factors.a()).mul(2).toDoubles();
            assertClose(component, layer.weight().toDoubles(), 1e-9);
        }
    }

    @Test
    void dividesTheWeightBetweenItsModes() {
        double[] weight = normal(5, OUT * IN);
        for (int rank = 1; rank < IN; rank++) {
            double[] sum = product(oriented(rank, 1, false), rank);
            double[] rest = product(oriented(IN - rank, 1, true), IN - rank);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += rest[i];
            }
            assertClose(sum, weight, 1e-9);
        }
    }

    /// A factor on C leaves B·A as it is and moves its root from A to B: what norming C is for.
    @Test
    void movesAFactorOfTheInputsBetweenAAndB() {
        WeightComponents.Product one = oriented(2, 1, false);
        WeightComponents.Product scaled = oriented(2, 49, false);
        assertClose(product(scaled, 2), product(one, 2), 1e-9);
        assertThat(scaled.left()[0] / one.left()[0]).isCloseTo(7, offset(1e-9));
        assertThat(scaled.right()[0] / one.right()[0]).isCloseTo(1 / 7.0, offset(1e-9));
    }

    @Test
    void dampsUntilTheInverseHolds() {
        // One input direction only: C has rank 1.
        double[] c = new double[IN * IN];
        Arrays.fill(c, 1);
        Covariances.Damped damped = Covariances.damped(c, IN);
        double[] identity =
                Ops.tensor64(damped.matrix(), IN, IN)
                        .matmul(Ops.tensor64(damped.inverse(), IN, IN))
                        .toDoubles();
        for (int i = 0; i < identity.length; i++) {
            assertThat(identity[i]).isCloseTo(i % (IN + 1) == 0 ? 1 : 0, offset(1e-6));
        }
        assertThat(damped.matrix()[0]).isCloseTo(1.01, offset(1e-12));
    }

    /// The file's rank 2r on the untouched weight is the weight less the first product, plus the
    /// trained one.
    @Test
    void savesTheTrainedModelAsPlainLora(@TempDir Path folder) {
        var model = TinyModel.create();
        Linear layer = (Linear) model.module(TARGET);
        double[] weight = layer.weight().toDoubles();
        Adapter adapter =
                Lora.rank(3)
                        .alpha(6)
                        .init(LoraInit.cordaInstructionPreviewed(LowRankMethods.inputs()))
                        .attach(model, TARGET);
        double[] start = change(adapter, "initial_A.weight", "initial_B.weight");
        var optimizer = AdamW.of(model.trainable()).lr(0.05);
        for (int step = 0; step < 3; step++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        double[] now = change(adapter, "lora_A.weight", "lora_B.weight");
        adapter.save(folder);

        var fresh = TinyModel.create();
        Adapter back = Adapter.load(fresh, folder);
        assertThat(back.parameters()).hasSize(2);
        back.merge();
        double[] expected = new double[weight.length];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = weight[i] - start[i] + now[i];
        }
        assertThat(now[0]).isNotCloseTo(start[0], offset(1e-4));
        assertClose(((Linear) fresh.module(TARGET)).weight().toDoubles(), expected, 1e-5);
    }

    /// Returns s·B·A in F64.
    private static double[] change(Adapter adapter, String a, String b) {
        String path = TARGET + ".adapter.";
        Tensor down = adapter.parameters().get(path + a).detach().to(DType.F64);
        Tensor up = adapter.parameters().get(path + b).detach().to(DType.F64);
        return up.matmul(down).mul(2).toDoubles();
    }
}
