package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.TransformerOps.HeadLoss;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Cut Cross-Entropy (arXiv 2411.09009): three tokens over four entries by hand, and what the filter,
/// the order of the vocabulary and compensated sums may and may not change.
class CutCrossEntropyTest {
    private static final double[] HIDDEN = {1, 0, 0, 2, 1, 1};
    private static final double[] WEIGHT = {2, 0, 0, 2, -2, 0, 0, -2};
    private static final int[] TARGETS = {0, 1, 3};

    static List<Device> devices() {
        return List.of(Device.REFERENCE, Device.CPU);
    }

    private record Problem(Tensor hidden, Tensor weight, Tensor targets) {
        HeadLoss mean(HeadOptions options) {
            int n = hidden.dim(0);
            Tensor weights = Ops.full(hidden.dtype(), Shape.of(n), 1.0 / n).to(hidden.device());
            return Ops.linearCrossEntropy(hidden, weight, targets, weights, options);
        }
    }

    private static Problem byHand(Device device) {
        return new Problem(
                on(device, HIDDEN, 3, 2),
                on(device, WEIGHT, 4, 2),
                Ops.indices(TARGETS.clone()).to(device));
    }

    private static Tensor on(Device device, double[] values, int... dims) {
        DType type = device.equals(Device.REFERENCE) ? DType.F64 : DType.F32;
        return Ops.tensor64(values, dims).to(type).to(device).detach().requireGrad();
    }

    private static void close(Tensor actual, double... expected) {
        double[] values = actual.toDoubles();
        for (int i = 0; i < expected.length; i++) {
            assertThat(values[i]).as("%d of %s", i, actual).isCloseTo(expected[i], offset(2e-6));
        }
    }

    @ParameterizedTest
    @MethodSource("devices")
    void equalsTheComputationByHand(Device device) {
        Problem p = byHand(device);
        for (HeadOptions options :
                List.of(
                        HeadOptions.DEFAULT,
                        HeadOptions.COMPENSATED,
                        HeadOptions.DEFAULT.filter(1e-9))) {
            HeadLoss out = p.mean(options);
            close(out.lse(), 2.253856, 4.036300, 2.711297);
            assertThat(out.loss().item()).isCloseTo(1.667151, offset(1e-6));
            assertThat(out.lse().square().mean().item()).isCloseTo(9.574239, offset(1e-5));
            Grads grads = out.loss().backward();
            close(grads.get(p.hidden), -0.158937, 0, 0, -0.023982, 0.321343, 0.988009);
            close(
                    grads.get(p.weight),
                    0.088937,
                    0.175444,
                    0.198667,
                    0.139903,
                    0.007734,
                    0.014773,
                    -0.295338,
                    -0.330120);
        }
    }

    @ParameterizedTest
    @MethodSource("devices")
    void dropsTheOneBlockThatIsSmall(Device device) {
        Problem p = byHand(device);
        HeadLoss out = p.mean(HeadOptions.DEFAULT.filter(HeadFilter.below(0.02).blocks(1, 2)));
        assertThat(out.dropped().item()).isCloseTo(0.007190, offset(1e-6));
        Tensor hidden = out.loss().backward().get(p.hidden);
        close(hidden, -0.158937, 0, 0.011775, -0.023766, 0.321343, 0.988009);
    }

    @ParameterizedTest
    @MethodSource("devices")
    void filtersTheGradientsItIsToldTo(Device device) {
        Problem p = byHand(device);
        var filter = HeadFilter.below(0.02).blocks(1, 2);
        Grads exact = p.mean(HeadOptions.DEFAULT).loss().backward();
        Grads both = p.mean(HeadOptions.DEFAULT.filter(filter)).loss().backward();
        for (HeadFilter which : List.of(filter, HeadFilter.below(0.02))) {
            both = p.mean(HeadOptions.DEFAULT.filter(which)).loss().backward();
            Grads hidden =
                    p.mean(HeadOptions.DEFAULT.filter(which.of(true, false))).loss().backward();
            Grads weight =
                    p.mean(HeadOptions.DEFAULT.filter(which.of(false, true))).loss().backward();
            close(hidden.get(p.hidden), both.get(p.hidden).toDoubles());
            close(hidden.get(p.weight), exact.get(p.weight).toDoubles());
            close(weight.get(p.hidden), exact.get(p.hidden).toDoubles());
            close(weight.get(p.weight), both.get(p.weight).toDoubles());
        }
        assertThat(both.get(p.weight).sub(exact.get(p.weight)).abs().max().item())
                .isGreaterThan(1e-3);
    }

    /// Entries whose rows of the weight get no gradient at all.
    private static long starved(Problem p, HeadOptions options) {
        Tensor gradient = p.mean(options).loss().backward().get(p.weight);
        double[] sizes = gradient.abs().sum(1, false).toDoubles();
        return Arrays.stream(sizes).filter(size -> size == 0).count();
    }

    @Test
    void publishedVariantsFilterWhatTheySay() {
        Problem flat = peaked(60, 16, 500);
        Tensor hidden = flat.hidden.mul(1.5).detach().requireGrad();
        // One target for all: no other's block has to stay for its sake.
        Problem p = new Problem(hidden, flat.weight, Ops.indices(new int[60]));
        assertThat(p.mean(HeadOptions.CUT).dropped().item()).isPositive();
        assertThat(starved(p, HeadOptions.CUT)).isGreaterThanOrEqualTo(64);
        assertThat(starved(p, HeadOptions.CUT_FULL_HIDDEN)).isEqualTo(starved(p, HeadOptions.CUT));
        assertThat(starved(p, HeadOptions.CUT_FULL_WEIGHT)).isZero();
        assertThat(p.mean(HeadOptions.CUT_FULL_WEIGHT).dropped().item()).isPositive();
        assertThat(p.mean(HeadOptions.COMPENSATED).dropped().item()).isZero();
        for (var options :
                List.of(
                        HeadOptions.CUT_FULL_HIDDEN,
                        HeadOptions.CUT_FULL_WEIGHT,
                        HeadOptions.COMPENSATED)) {
            assertThat(options.compensateHidden() && options.compensateWeight()).isTrue();
        }
    }

    /// A problem whose softmax is peaked, with entries that are unlikely everywhere, so that a filter
    /// finds much to drop.
    private static Problem peaked(int n, int dim, int vocabulary) {
        int[] targets = new int[n];
        Arrays.setAll(targets, i -> i * 37 % vocabulary);
        return new Problem(
                Ops.randn(Rng.of(1), n, dim).add(2).detach().requireGrad(),
                Ops.randn(Rng.of(2), vocabulary, dim).detach().requireGrad(),
                Ops.indices(targets));
    }

    @Test
    void losesNoMoreThanItsBound() {
        Problem p = peaked(60, 16, 500);
        Grads exact = p.mean(HeadOptions.DEFAULT).loss().backward();
        double longest = p.weight.square().sum(1, false).sqrt().max().item();
        for (double threshold : new double[] {1e-6, 1e-4, 1e-2}) {
            for (HeadFilter filter :
                    List.of(
                            HeadFilter.below(threshold),
                            HeadFilter.below(threshold).blocks(4, 16),
                            HeadFilter.below(threshold).blocks(60, 8).sorted(true))) {
                HeadLoss out = p.mean(HeadOptions.DEFAULT.filter(filter));
                Tensor difference = out.loss().backward().get(p.hidden).sub(exact.get(p.hidden));
                // Σ|G| is twice the mass that is not the target's, less than 2 a token.
                double lost = 2 * 60 * out.dropped().item();
                double error = difference.square().sum(1, false).sqrt().sum().item();
                assertThat(error).as("%s", filter).isLessThan(lost * longest / 60 + 1e-5);
                assertThat(out.dropped().item()).isLessThan(500 * threshold);
            }
        }
    }

    /// Every other entry is unlikely: no block of neighbours is, but half of the sorted blocks are.
    @Test
    void sortingPutsUnlikelyEntriesIntoBlocksOfTheirOwn() {
        double[] logits = new double[512];
        Arrays.setAll(logits, v -> v % 2 == 0 ? 3 : -3);
        for (Device device : devices()) {
            Problem p =
                    new Problem(
                            on(device, new double[] {1, 1, 1}, 3, 1),
                            on(device, logits, 512, 1),
                            Ops.indices(new int[] {0, 2, 4}).to(device));
            var filter = HeadFilter.below(1e-3).blocks(3, 16);
            HeadLoss plain = p.mean(HeadOptions.DEFAULT.filter(filter));
            HeadLoss sorted = p.mean(HeadOptions.DEFAULT.filter(filter.sorted(true)));
            assertThat(plain.dropped().item()).isZero();
            double unlikely = 1 / (1 + Math.exp(6));
            double all = 2 * (1 - (1 - unlikely) / 256);
            assertThat(sorted.dropped().item()).isCloseTo(unlikely / all, offset(1e-6));
            double[] gradient = sorted.loss().backward().get(p.weight).toDoubles();
            assertThat(gradient[0]).isNotZero();
            assertThat(gradient[1]).isZero();
            assertThat(gradient[6]).isNotZero();
        }
    }

    @Test
    void sortingChangesNothingWithoutAFilter() {
        Problem p = peaked(20, 8, 90);
        HeadLoss plain = p.mean(HeadOptions.DEFAULT);
        HeadLoss sorted =
                p.mean(HeadOptions.DEFAULT.filter(HeadFilter.NONE.blocks(4, 8).sorted(true)));
        Grads a = plain.loss().backward();
        Grads b = sorted.loss().backward();
        for (Tensor leaf : List.of(p.hidden, p.weight)) {
            assertThat(b.get(leaf).toFloats()).isEqualTo(a.get(leaf).toFloats());
        }
    }

    /// A threshold that no |G| is below: the filter runs and drops nothing.
    @Test
    void aFilterThatDropsNothingHasTheBitsOfTheExactGradient() {
        Problem p = peaked(40, 8, 90);
        Grads exact = p.mean(HeadOptions.DEFAULT).loss().backward();
        HeadLoss out = p.mean(HeadOptions.DEFAULT.filter(Double.MIN_VALUE));
        assertThat(out.dropped().item()).isZero();
        Grads grads = out.loss().backward();
        for (Tensor leaf : List.of(p.hidden, p.weight)) {
            assertThat(grads.get(leaf).toFloats()).isEqualTo(exact.get(leaf).toFloats());
        }
    }

    /// A vocabulary in one, two and three tensors, cut where no block of logits ends.
    @ParameterizedTest
    @MethodSource("devices")
    void aVocabularyInPartsHasTheSameBits(Device device) {
        Problem p = peaked(40, 8, 500);
        Tensor hidden = on(device, p.hidden.toDoubles(), 40, 8);
        Tensor targets = p.targets.to(device);
        Tensor weights = Ops.full(hidden.dtype(), Shape.of(40), 0.025).to(device);
        double[] rows = p.weight.toDoubles();
        int[][] cuts = {{500}, {123, 377}, {1, 270, 229}};
        for (HeadOptions options :
                List.of(
                        HeadOptions.DEFAULT,
                        HeadOptions.DEFAULT.memoryBudget(10_000),
                        HeadOptions.DEFAULT
                                .filter(HeadFilter.below(1e-3).blocks(8, 16).sorted(true))
                                .memoryBudget(10_000))) {
            double[][] first = null;
            for (int[] cut : cuts) {
                List<Tensor> parts = new ArrayList<>();
                for (int i = 0, from = 0; i < cut.length; from += cut[i++]) {
                    int end = from + cut[i];
                    double[] part = Arrays.copyOfRange(rows, from * 8, end * 8);
                    parts.add(on(device, part, cut[i], 8));
                }
                HeadLoss out = Ops.linearCrossEntropy(hidden, parts, targets, weights, options);
                Grads grads = out.loss().backward();
                double[][] now = {
                    out.lse().toDoubles(),
                    grads.get(hidden).toDoubles(),
                    parts.stream()
                            .flatMapToDouble(w -> Arrays.stream(grads.get(w).toDoubles()))
                            .toArray()
                };
                first = first == null ? now : first;
                for (int k = 0; k < now.length; k++) {
                    assertThat(now[k]).as("%d of %s", k, options).isEqualTo(first[k]);
                }
            }
        }
    }

    @Test
    void whatFlowsBackToLogSumExpsReachesAllParts() {
        Problem p = peaked(12, 8, 60);
        Tensor weights = Ops.full(DType.F32, Shape.of(12), 1).to(Device.CPU);
        Tensor first = p.weight.narrow(0, 0, 25).contiguous().detach().requireGrad();
        Tensor rest = p.weight.narrow(0, 25, 35).contiguous().detach().requireGrad();
        HeadLoss parts =
                Ops.linearCrossEntropy(
                        p.hidden, List.of(first, rest), p.targets, weights, HeadOptions.DEFAULT);
        HeadLoss whole =
                Ops.linearCrossEntropy(p.hidden, p.weight, p.targets, weights, HeadOptions.DEFAULT);
        Grads a = parts.loss().add(parts.lse().sum()).backward();
        Grads b = whole.loss().add(whole.lse().sum()).backward();
        close(a.get(p.hidden), b.get(p.hidden).toDoubles());
        close(Ops.concat(0, a.get(first), a.get(rest)), b.get(p.weight).toDoubles());
    }

    @Test
    void theThresholdComesFromTheTypes() {
        assertThat(HeadFilter.thresholdOf(DType.F32)).isEqualTo(0x1p-28);
        assertThat(HeadFilter.thresholdOf(DType.F16)).isEqualTo(0x1p-15);
        assertThat(HeadFilter.thresholdOf(DType.BF16)).isEqualTo(0x1p-12);
        assertThat(HeadFilter.auto().resolve(DType.F32, DType.BF16).threshold()).isEqualTo(0x1p-12);
        Problem p = peaked(10, 8, 300);
        var stored = new Problem(p.hidden, p.weight.detach().to(DType.BF16), p.targets);
        var auto = HeadOptions.DEFAULT.filter(HeadFilter.auto());
        assertThat(stored.mean(auto).dropped().item())
                .isEqualTo(stored.mean(HeadOptions.DEFAULT.filter(0x1p-12)).dropped().item())
                .isPositive();
        assertThat(p.mean(auto).dropped().item()).isLessThan(1e-6);
    }

    /// A flat softmax: every entry but the target's is 1/V, just below the threshold.
    @Test
    void aFlatSoftmaxLosesNearlyHalfOfItsGradient() {
        int v = 400;
        var flat =
                new Problem(
                        Ops.full(DType.F32, Shape.of(3, 2), 0).requireGrad(),
                        Ops.randn(Rng.of(3), v, 2).detach().requireGrad(),
                        Ops.indices(new int[] {1, 2, 3}));
        assertThat(flat.mean(HeadOptions.DEFAULT.filter(1.01 / v)).dropped().item())
                .isCloseTo(0.5, offset(1e-3));
        assertThat(flat.mean(HeadOptions.DEFAULT.filter(0.99 / v)).dropped().item()).isZero();
    }

    @Test
    void whatFlowsBackToLogSumExpsIsTheirDerivative() {
        for (double cap : new double[] {0, 2}) {
            Problem p = byHand(Device.REFERENCE);
            var options = HeadOptions.DEFAULT.softCap(cap);
            double error =
                    GradCheck.maxError(
                            x -> {
                                HeadLoss out = new Problem(x, p.weight, p.targets).mean(options);
                                return out.loss().add(out.lse().square().mean().mul(0.1));
                            },
                            p.hidden.detach());
            assertThat(error).isLessThan(1e-6);
        }
        Problem p = peaked(30, 8, 70);
        HeadLoss free = p.mean(HeadOptions.DEFAULT.zLoss(0.1));
        HeadLoss returned = p.mean(HeadOptions.DEFAULT);
        Tensor sum = returned.loss().add(returned.lse().square().mean().mul(0.1));
        assertThat(sum.item()).isCloseTo(free.loss().item(), offset(1e-4));
        Grads expected = free.loss().backward();
        Grads actual = sum.backward();
        for (Tensor leaf : List.of(p.hidden, p.weight)) {
            double[] x = expected.get(leaf).toDoubles();
            double[] y = actual.get(leaf).toDoubles();
            for (int i = 0; i < x.length; i++) {
                assertThat(y[i]).isCloseTo(x[i], offset(1e-5));
            }
        }
    }

    @Test
    void aCompensatedSumKeepsWhatAPlainOneLoses() {
        float plain = 1;
        float[] sum = {1};
        float[] lost = {0};
        float[] one = {1e-8f};
        for (int i = 0; i < 100_000; i++) {
            plain += one[0];
            TwoSum.add(sum, 0, lost, 0, one, 1);
        }
        TwoSum.finish(sum, 0, lost, 0, 1);
        assertThat(plain).isEqualTo(1f);
        assertThat(sum[0]).isEqualTo(1.001f, offset(1e-6f));
    }

    /// One token that adds 0.5 to the gradient of a weight, then very many that add little.
    @Test
    void compensatedGradientsKeepManySmallParts() {
        int n = 20_001;
        double[] hidden = new double[n];
        double[] weights = new double[n];
        Arrays.fill(hidden, 1);
        Arrays.fill(weights, 4e-8);
        weights[0] = 1;
        Tensor h = Ops.tensor64(hidden, n, 1).to(DType.F32);
        Tensor w = Ops.tensor(new float[] {0, 0}, 2, 1).requireGrad();
        Tensor targets = Ops.indices(new int[n]);
        Tensor factors = Ops.tensor64(weights, n).to(DType.F32);
        var small = HeadOptions.DEFAULT.memoryBudget(1);
        double[] gradient = new double[2];
        for (int k = 0; k < 2; k++) {
            var options = k == 0 ? small : small.compensate(false, true);
            gradient[k] =
                    Ops.linearCrossEntropy(h, w, targets, factors, options)
                            .loss()
                            .backward()
                            .get(w)
                            .toDoubles()[1];
        }
        double exact = 0.5 * (1 + 20_000 * 4e-8);
        assertThat(gradient[0]).isEqualTo(0.5);
        assertThat(gradient[1]).isCloseTo(exact, offset(1e-7));
    }

    @Test
    void memoryDoesNotGrowWithTokensTimesVocabulary() {
        long less = bytes(512, 4000);
        long more = bytes(2048, 16_000);
        long logits = 4L * 2048 * 16_000;
        assertThat(more - less).isLessThan(logits / 8);
    }

    /// Fresh bytes of the pool for all but the two gradients.
    private static long bytes(int n, int vocabulary) {
        Problem p = peaked(n, 8, vocabulary);
        var options =
                HeadOptions.CUT
                        .filter(HeadFilter.below(1e-3).blocks(128, 64).sorted(true))
                        .compensate(true, true)
                        .memoryBudget(1 << 20);
        Pool.floats().trim();
        long before = Pool.floats().freshBytes();
        Ops.scope(() -> p.mean(options).loss().backward().get(p.weight).sum().item());
        return Pool.floats().freshBytes() - before;
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> HeadFilter.below(1))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("threshold 1.0")
                .hasMessageContaining("0 to below 1");
        assertThatThrownBy(() -> HeadFilter.auto().blocks(0, 2))
                .hasMessageContaining("blocks of 0 x 2");
        Tensor x = Ops.ones(2, 3);
        Tensor ids = Ops.indices(new int[] {0, 1});
        Tensor two = Ops.ones(2);
        assertThatThrownBy(
                        () -> Ops.linearCrossEntropy(x, List.of(), ids, two, HeadOptions.DEFAULT))
                .hasMessageContaining("no weight");
        assertThatThrownBy(() ->
                        Ops.linearCrossEntropy(
                                x, List.of(x, Ops.ones(2, 4)), ids, two, HeadOptions.DEFAULT))
                .hasMessageContaining("parts of the weight do not fit together")
                .hasMessageContaining("[V,3] each");
    }
}
