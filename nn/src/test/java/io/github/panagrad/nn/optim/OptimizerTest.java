package io.github.panagrad.nn.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.TensorFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OptimizerTest {
    private static final int SIZE = 37;

    private static Parameter parameter(String name, DType dtype) {
        return new Parameter(name, Ops.randn(Rng.of(3), SIZE).to(dtype));
    }

    private static double[] gradient(int step) {
        double[] g = Ops.randn(Rng.of(100 + step), SIZE).toDoubles();
        return g;
    }

    /// Gradients as backward gives them, of a loss that is linear in the parameters.
    private static Grads grads(int step, Parameter... parameters) {
        Tensor loss = null;
        for (Parameter p : parameters) {
            Tensor g = Ops.tensor64(gradient(step), SIZE).to(p.dtype());
            Tensor term = p.mul(g).sum();
            loss = loss == null ? term : loss.add(term);
        }
        return loss.backward();
    }

    @ParameterizedTest
    @EnumSource(names = {"F64", "F32"})
    void adamWFollowsItsFormulas(DType dtype) {
        Parameter p = parameter("w", dtype);
        double lr = 0.03;
        double decay = 0.1;
        double scale = 0.5;
        var optimizer = AdamW.of(List.of(p)).lr(lr).weightDecay(decay).betas(0.8, 0.95).eps(1e-6);
        double[] w = p.toDoubles();
        double[] m = new double[SIZE];
        double[] v = new double[SIZE];
        for (int step = 1; step <= 20; step++) {
            double[] g = gradient(step);
            optimizer.step(grads(step, p), scale);
            for (int i = 0; i < SIZE; i++) {
                double gi = scale * g[i];
                m[i] = 0.8 * m[i] + 0.2 * gi;
                v[i] = 0.95 * v[i] + 0.05 * gi * gi;
                double mHat = m[i] / (1 - Math.pow(0.8, step));
                double vHat = v[i] / (1 - Math.pow(0.95, step));
                w[i] = w[i] * (1 - lr * decay) - lr * mHat / (Math.sqrt(vHat) + 1e-6);
            }
        }
        double tolerance = dtype == DType.F64 ? 1e-12 : 2e-6;
        assertThat(p.toDoubles()).containsExactly(w, within(tolerance));
        assertThat(optimizer.state().get("w/exp_avg").toDoubles())
                .containsExactly(m, within(tolerance));
        assertThat(optimizer.steps()).isEqualTo(20);
    }

    @Test
    void sgdFollowsItsFormulas() {
        Parameter p = parameter("w", DType.F64);
        var optimizer = Sgd.of(List.of(p)).lr(0.1).momentum(0.9).weightDecay(0.01);
        double[] w = p.toDoubles();
        double[] b = new double[SIZE];
        for (int step = 1; step <= 5; step++) {
            double[] g = gradient(step);
            optimizer.step(grads(step, p));
            for (int i = 0; i < SIZE; i++) {
                b[i] = 0.9 * b[i] + g[i] + 0.01 * w[i];
                w[i] -= 0.1 * b[i];
            }
        }
        assertThat(p.toDoubles()).containsExactly(w, within(1e-12));
    }

    @Test
    void groupsHaveTheirOwnSettings() {
        Parameter a = parameter("layer.weight", DType.F32);
        Parameter b = parameter("layer.bias", DType.F32);
        float[] before = b.toFloats();
        var optimizer =
                AdamW.of(List.of(a, b))
                        .lr(0.1)
                        .group(ParamGroup.of("**.bias").lr(0).weightDecay(0));
        optimizer.step(grads(1, a, b));
        assertThat(b.toFloats()).isEqualTo(before);
        assertThat(a.toFloats()).isNotEqualTo(before);
        assertThatThrownBy(() -> optimizer.group(ParamGroup.of("**.norm")))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("pattern: matches none of 2 paths");
    }

    @Test
    void theFactorScalesTheRate() {
        Parameter a = parameter("a", DType.F32);
        Parameter b = parameter("b", DType.F32);
        var first = Sgd.of(List.of(a)).lr(0.2);
        var second = Sgd.of(List.of(b)).lr(0.1);
        second.lrFactor(2);
        assertThat(second.lr()).isEqualTo(0.2);
        first.step(grads(1, a));
        second.step(grads(1, b));
        assertThat(a.toFloats()).isEqualTo(b.toFloats());
    }

    @Test
    void smallParametersSharedByThreadsGetTheBitsOfOneThread() {
        int before = Parallel.threads();
        try {
            Parallel.setThreads(1);
            List<float[]> alone = afterThreeSteps(40);
            Parallel.setThreads(3);
            List<float[]> shared = afterThreeSteps(40);
            for (int i = 0; i < alone.size(); i++) {
                assertThat(shared.get(i)).isEqualTo(alone.get(i));
            }
        } finally {
            Parallel.setThreads(before);
        }
    }

    private static List<float[]> afterThreeSteps(int count) {
        var parameters = new ArrayList<Parameter>();
        for (int i = 0; i < count; i++) {
            parameters.add(
                    new Parameter("w" + i, Ops.randn(Rng.of(i), i == 7 ? 40_000 : 3 * i + 1)));
        }
        var optimizer = AdamW.of(parameters).lr(0.01);
        for (int step = 0; step < 3; step++) {
            Tensor loss = Ops.zeros();
            for (Parameter p : parameters) {
                loss = loss.add(p.square().sum());
            }
            optimizer.step(loss.backward());
        }
        return parameters.stream().map(Tensor::toFloats).toList();
    }

    @Test
    void parametersWithoutGradientAreLeftAlone() {
        Parameter a = parameter("a", DType.F32);
        Parameter b = parameter("b", DType.F32);
        float[] before = b.toFloats();
        var optimizer = AdamW.of(List.of(a, b)).weightDecay(0.5);
        optimizer.step(grads(1, a));
        assertThat(b.toFloats()).isEqualTo(before);
        assertThat(optimizer.stateSize()).isEqualTo(2 * SIZE);
    }

    @Test
    void stateSurvivesAFileBitForBit(@TempDir Path folder) {
        List<Function<Parameter, Optimizer>> kinds =
                List.of(
                        p -> AdamW.of(List.of(p)).lr(0.05),
                        p -> Sgd.of(List.of(p)).momentum(0.9),
                        p -> {
                            var masked = AdamW.of(List.of(p)).lr(0.05);
                            masked.mask(p, ParamMask.of(1, 5, 9));
                            return masked;
                        });
        for (var kind : kinds) {
            Parameter through = parameter("w", DType.F32);
            var whole = kind.apply(through);
            Parameter stopped = parameter("w", DType.F32);
            var first = kind.apply(stopped);
            for (int step = 1; step <= 3; step++) {
                whole.step(grads(step, through));
                first.step(grads(step, stopped));
            }
            Path file = folder.resolve("state.safetensors");
            TensorFiles.write(file, first.state(), Map.of());
            var second = kind.apply(stopped);
            second.load(TensorFiles.read(file));
            assertThat(second.steps()).isEqualTo(3);
            for (int step = 4; step <= 6; step++) {
                whole.step(grads(step, through));
                second.step(grads(step, stopped));
            }
            assertThat(stopped.toFloats()).isEqualTo(through.toFloats());
        }
    }

    @Test
    void stateOfOthersIsRefused() {
        Parameter a = parameter("a", DType.F32);
        var optimizer = AdamW.of(List.of(a));
        optimizer.step(grads(1, a));
        var other = AdamW.of(List.of(parameter("b", DType.F32)));
        assertThatThrownBy(() -> other.load(optimizer.state()))
                .hasMessageContaining("optimizer: no state for parameter b");
        var more = new LinkedHashMap<>(optimizer.state());
        more.put("b/exp_avg", Ops.zeros(2));
        assertThatThrownBy(() -> optimizer.load(more))
                .hasMessageContaining("state for what it does not train; got b/exp_avg");
        var wrong = new LinkedHashMap<>(optimizer.state());
        wrong.put("a/exp_avg", Ops.zeros(2));
        assertThatThrownBy(() -> optimizer.load(wrong))
                .hasMessageContaining("has another shape; got [2]; expected [37]");
    }

    @Test
    void badSettingsAreNamed() {
        Parameter a = parameter("a", DType.F32);
        assertThatThrownBy(() -> AdamW.of(List.of()))
                .hasMessageContaining("optimizer: no parameters");
        assertThatThrownBy(() -> AdamW.of(List.of(a, parameter("a", DType.F32))))
                .hasMessageContaining("two parameters of one name; got a");
        assertThatThrownBy(() -> AdamW.of(List.of(a)).lr(-1))
                .hasMessageContaining("lr out of range; got -1.0");
        assertThatThrownBy(() -> AdamW.of(List.of(a)).betas(1, 0.9))
                .hasMessageContaining("betas out of range");
    }

    // Masks

    @Test
    void maskedEntriesKeepTheirBitsAndCostNoState() {
        Parameter p = parameter("w", DType.F32);
        float[] before = p.toFloats();
        int[] live = {0, 7, 8, 36};
        var optimizer = AdamW.of(List.of(p)).lr(0.1).weightDecay(0.5);
        optimizer.mask(p, ParamMask.of(live));
        for (int step = 1; step <= 4; step++) {
            optimizer.step(grads(step, p));
        }
        float[] after = p.toFloats();
        for (int i = 0; i < SIZE; i++) {
            boolean moved = i == 0 || i == 7 || i == 8 || i == 36;
            assertThat(after[i] != before[i]).as("entry " + i).isEqualTo(moved);
        }
        assertThat(optimizer.stateSize()).isEqualTo(2L * live.length);
    }

    @Test
    void liveEntriesMoveAsWithoutAMask() {
        for (boolean adam : new boolean[] {true, false}) {
            Parameter masked = parameter("w", DType.F64);
            Parameter plain = parameter("w", DType.F64);
            Optimizer a = optimizer(adam, masked);
            Optimizer b = optimizer(adam, plain);
            a.mask(masked, ParamMask.of(2, 3, 30));
            for (int step = 1; step <= 5; step++) {
                a.step(grads(step, masked));
                b.step(grads(step, plain));
            }
            for (int i : new int[] {2, 3, 30}) {
                assertThat(masked.toDoubles()[i]).isCloseTo(plain.toDoubles()[i], within(1e-12));
            }
        }
    }

    private static Optimizer optimizer(boolean adam, Parameter p) {
        return adam
                ? AdamW.of(List.of(p)).lr(0.1).weightDecay(0.1)
                : Sgd.of(List.of(p)).lr(0.1).momentum(0.9).weightDecay(0.1);
    }

    @Test
    void swappedMasksKeepWhatStaysAndStartTheRestAfresh() {
        Parameter p = parameter("w", DType.F64);
        var optimizer = AdamW.of(List.of(p)).lr(0.1).weightDecay(0);
        optimizer.mask(p, ParamMask.of(1, 2));
        optimizer.step(grads(1, p));
        optimizer.step(grads(2, p));
        double[] before = p.toDoubles();
        double kept = optimizer.state().get("w/exp_avg").toDoubles()[1];
        optimizer.mask(p, ParamMask.of(2, 5));
        assertThat(optimizer.state().get("w/exp_avg").toDoubles()).containsExactly(kept, 0);
        optimizer.step(grads(3, p));
        double[] after = p.toDoubles();
        assertThat(after[1]).isEqualTo(before[1]);
        // The first step of Adam from scratch is the rate itself, whatever the gradient.
        assertThat(Math.abs(after[5] - before[5])).isCloseTo(0.1, within(1e-6));
        assertThat(optimizer.state().get("w/steps").toInts()).containsExactly(3, 1);

        Parameter straight = parameter("w", DType.F64);
        var whole = AdamW.of(List.of(straight)).lr(0.1).weightDecay(0);
        for (int step = 1; step <= 3; step++) {
            whole.step(grads(step, straight));
        }
        assertThat(after[2]).isCloseTo(straight.toDoubles()[2], within(1e-12));
    }

    @Test
    void aMaskTakesOverDenseState() {
        Parameter p = parameter("w", DType.F64);
        Parameter plain = parameter("w", DType.F64);
        var masked = AdamW.of(List.of(p)).lr(0.1);
        var dense = AdamW.of(List.of(plain)).lr(0.1);
        for (int step = 1; step <= 2; step++) {
            masked.step(grads(step, p));
            dense.step(grads(step, plain));
        }
        masked.mask(p, ParamMask.all(SIZE));
        masked.step(grads(3, p));
        dense.step(grads(3, plain));
        assertThat(p.toDoubles()).containsExactly(plain.toDoubles(), within(1e-12));
    }

    @Test
    void anEmptyMaskFreezes() {
        Parameter p = parameter("w", DType.F32);
        float[] before = p.toFloats();
        var optimizer = AdamW.of(List.of(p)).weightDecay(0.5);
        optimizer.mask(p, ParamMask.none());
        optimizer.step(grads(1, p));
        assertThat(p.toFloats()).isEqualTo(before);
        assertThat(optimizer.stateSize()).isZero();
    }

    @Test
    void aMaskOfAllIsNoMask() {
        Parameter p = parameter("w", DType.F32);
        Parameter plain = parameter("w", DType.F32);
        var masked = AdamW.of(List.of(p)).lr(0.1).weightDecay(0.1);
        var dense = AdamW.of(List.of(plain)).lr(0.1).weightDecay(0.1);
        masked.mask(p, ParamMask.none());
        masked.step(grads(9, p));
        masked.mask(p, ParamMask.all(SIZE));
        for (int step = 1; step <= 3; step++) {
            masked.mask(p, ParamMask.all(SIZE));
            masked.step(grads(step, p));
            dense.step(grads(step, plain));
        }
        assertThat(p.toFloats()).isEqualTo(plain.toFloats());
        assertThat(masked.state().keySet()).isEqualTo(dense.state().keySet());
    }

    @Test
    void maskedStateSurvivesAFileWithNothingLive(@TempDir Path folder) {
        Parameter p = parameter("w", DType.F32);
        var optimizer = AdamW.of(List.of(p));
        optimizer.mask(p, ParamMask.none());
        optimizer.step(grads(1, p));
        Path file = folder.resolve("state.safetensors");
        TensorFiles.write(file, optimizer.state(), Map.of());
        var other = AdamW.of(List.of(p)).weightDecay(0.5);
        other.load(TensorFiles.read(file));
        float[] before = p.toFloats();
        other.step(grads(2, p));
        assertThat(p.toFloats()).isEqualTo(before);
    }

    @Test
    void masksComeFromBitsAndTensors() {
        var bits = new java.util.BitSet();
        bits.set(3);
        bits.set(1);
        assertThat(ParamMask.of(bits).entries()).containsExactly(1, 3);
        assertThat(ParamMask.of(Ops.tensor(0, 2, 0, 1)).entries()).containsExactly(1, 3);
        assertThat(ParamMask.of(3, 1).count()).isEqualTo(2);
        assertThat(ParamMask.all(3).entries()).containsExactly(0, 1, 2);
        assertThat(ParamMask.of(3, 1).or(ParamMask.all(2)).entries()).containsExactly(0, 1, 3);
        assertThatThrownBy(() -> ParamMask.of(1, 1)).hasMessageContaining("comes twice");
        Parameter p = parameter("w", DType.F32);
        assertThatThrownBy(() -> AdamW.of(List.of(p)).mask(p, ParamMask.of(37)))
                .hasMessage(
                        "mask of w: an entry is beyond the parameter; got 37; expected at most 36");
        assertThatThrownBy(() ->
                        AdamW.of(List.of(p)).mask(parameter("v", DType.F32), ParamMask.none()))
                .hasMessageContaining("not a parameter of this optimizer; got v");
    }
}
