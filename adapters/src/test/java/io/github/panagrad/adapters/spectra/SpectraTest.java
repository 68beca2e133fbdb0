package io.github.panagrad.adapters.spectra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.Assets;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.TinyModel;
import io.github.panagrad.adapters.delta.AppliedDelta;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.DenseDelta;
import io.github.panagrad.adapters.delta.LowRankDelta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.linalg.Decompositions;
import io.github.panagrad.nn.models.CausalLM;
import java.io.StringReader;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class SpectraTest {
    private static final int N = 64;
    private static final String PATH = "layers.0.weight";

    /// W⁰ = diag(linspace(2, 1, 64)).
    private static double[] base() {
        double[] d = new double[N];
        Arrays.setAll(d, i -> 2 - i / (N - 1.0));
        return Spectrum.diagonal(d);
    }

    /// c·u·vᵀ with u = 1/8 and v = ±1/8 in turn.
    private static Delta spike(double c) {
        double[] left = new double[N];
        double[] right = new double[N];
        Arrays.fill(left, c / 8);
        Arrays.setAll(right, i -> (i % 2 == 0 ? 1 : -1) / 8.0);
        return change(LowRankDelta.of(Spectrum.tensor(left, N, 1), Spectrum.tensor(right, 1, N)));
    }

    private static Delta change(TensorDelta change) {
        return Delta.of(Map.of(PATH, change));
    }

    private static Spectrum.Weights model(double[] weight) {
        return Spectrum.weights(PATH, Spectrum.tensor(weight, N, N));
    }

    private static MatrixSpectrum compare(double[] weight, Delta delta) {
        return report(weight, delta).matrices().getFirst();
    }

    private static SpectraReport report(double[] weight, Delta delta) {
        return Spectra.of(model(weight).selection()).compare(delta, 10, 0.5);
    }

    @Test
    void theBaseResemblesItself() {
        Tensor zero = Ops.zeros(N, N);
        for (Delta none : List.of(Delta.of(Map.of()), change(DenseDelta.of(zero)))) {
            MatrixSpectrum m = compare(base(), none);
            assertThat(m.likeness()).containsExactly(ones(10), within(1e-9));
            assertThat(m.within()).containsExactly(ones(10), within(1e-9));
            assertThat(m.intruders(0.5)).isEmpty();
            assertThat(m.change()).isEqualTo(new ChangeSpread(0, 0, 0));
        }
    }

    @Test
    void findsTheIntruderOfAChangeOfRankOne() {
        assertThat(compare(base(), spike(0)).intruders(0.5)).isEmpty();

        MatrixSpectrum weak = compare(base(), spike(1));
        assertThat(weak.likeness()[0]).isCloseTo(0.3927, within(5e-5));
        assertThat(weak.intruders(0.5)).hasSize(1);

        MatrixSpectrum middle = compare(base(), spike(5));
        assertThat(middle.likeness()[0]).isCloseTo(0.1745, within(5e-5));
        assertThat(middle.intruders(0.5)).hasSize(1);

        MatrixSpectrum strong = compare(base(), spike(20));
        assertThat(strong.sigma()[0]).isCloseTo(20.1242, within(5e-5));
        assertThat(strong.likeness()[0]).isCloseTo(0.1375, within(5e-5));
        assertThat(strong.intruders(0.5)).containsExactly(0);
        assertThat(strong.likeness()[1]).isCloseTo(0.9496, within(5e-5));
        assertThat(strong.likeness()[2]).isCloseTo(0.9538, within(5e-5));
        assertThat(strong.change().stableRank()).isCloseTo(1, within(1e-6));
        assertThat(strong.change().effectiveRank()).isCloseTo(1, within(1e-6));
        double norm = Math.sqrt(Arrays.stream(base()).map(v -> v * v).sum());
        assertThat(strong.change().relativeNorm()).isCloseTo(20 / norm, within(1e-6));
    }

    @Test
    void dampsTheIntruder() {
        var model = model(base());
        SpectraReport report = Spectra.of(model.selection()).compare(spike(20), 10, 0.5);
        Tensor before = model.parameters().get(PATH).detach().copy();
        spike(20).apply(model);
        Tensor tuned = model.parameters().get(PATH).detach();
        assertThat(tuned.sub(before).norm().item()).isCloseTo(20, within(1e-4));

        Delta damping = report.dampIntruders(0.5);
        assertThat(damping.changes().get(PATH)).isInstanceOf(LowRankDelta.class);
        AppliedDelta damped = damping.apply(model);
        Tensor now = model.parameters().get(PATH).detach();
        double[] s = Decompositions.singularValues(now.toDoubles(), N, N);
        assertThat(s[0]).isCloseTo(10.0621, within(1e-4));
        assertThat(now.sub(before).norm().item()).isCloseTo(10.0538, within(1e-4));
        damped.revert();
        assertThat(model.parameters().get(PATH).toFloats()).isEqualTo(tuned.toFloats());

        report.dampIntruders(1).apply(model);
        assertThat(model.parameters().get(PATH).toFloats()).isEqualTo(tuned.toFloats());
        assertThat(report.dampLargestIntruders(0).changes()).hasSize(1);
        assertThatThrownBy(() -> report.dampIntruders(1.5)).hasMessageContaining("0 to 1");
    }

    @Test
    void rotationsOfBothAndTheScaleLeaveTheReport() {
        double[] turn = Spectrum.rotation(N, 4);
        double[] flips = new double[N];
        Arrays.setAll(flips, i -> i % 3 == 0 ? -1 : 1);
        double[] columns = Spectrum.diagonal(flips);
        double[] change = change5();
        double[] both = Spectrum.product(Spectrum.product(turn, base(), N, N, N), columns, N, N, N);
        double[] bothChange =
                Spectrum.product(Spectrum.product(turn, change, N, N, N), columns, N, N, N);
        MatrixSpectrum plain = compare(base(), dense(change));
        MatrixSpectrum turned = compare(both, dense(bothChange));
        assertThat(turned.likeness()).containsExactly(plain.likeness(), within(1e-4));
        assertThat(turned.sigma()).containsExactly(plain.sigma(), within(1e-4));
        assertThat(turned.intruders(0.5)).isEqualTo(plain.intruders(0.5)).hasSize(1);

        // W three times as large: ΔW = 3·(W⁰ + ΔW) − W⁰.
        double[] tripled = new double[N * N];
        Arrays.setAll(tripled, i -> 3 * (base[i] + change[i]) - base[i]);
        MatrixSpectrum scaled = compare(base(), dense(tripled));
        assertThat(scaled.intruders(0.5)).isEqualTo(plain.intruders(0.5));
        assertThat(scaled.likeness()).containsExactly(plain.likeness(), within(1e-4));
        assertThat(scaled.within()).containsExactly(plain.within(), within(1e-4));
    }

    /// What is done to the outputs of a matrix is done to the inputs of its transpose.
    @Test
    void rightVectorsAreTheLeftOnesOfTheTranspose() {
        int rows = 24;
        int cols = 40;
        double[] weight = Ops.randn(Rng.of(21), rows, cols).toDoubles();
        double[] u = Ops.randn(Rng.of(22), rows, 1).mul(3).toDoubles();
        double[] v = Ops.randn(Rng.of(23), 1, cols).toDoubles();
        var plain = Spectrum.weights(PATH, Spectrum.tensor(weight, rows, cols));
        var turned =
                Spectrum.weights(
                        PATH, Spectrum.tensor(Spectrum.transposed(weight, rows, cols), cols, rows));
        Delta change =
                change(LowRankDelta.of(Spectrum.tensor(u, rows, 1), Spectrum.tensor(v, 1, cols)));
        Delta transposed =
                change(LowRankDelta.of(Spectrum.tensor(v, cols, 1), Spectrum.tensor(u, 1, rows)));
        for (Side side : Side.values()) {
            Side other = side == Side.LEFT ? Side.RIGHT : Side.LEFT;
            MatrixSpectrum one =
                    Spectra.of(plain.selection())
                            .compare(change, 6, 0.5, side)
                            .matrices()
                            .getFirst();
            MatrixSpectrum two =
                    Spectra.of(turned.selection())
                            .compare(transposed, 6, 0.5, other)
                            .matrices()
                            .getFirst();
            assertThat(two.likeness()).containsExactly(one.likeness(), within(1e-6));
            assertThat(two.within()).containsExactly(one.within(), within(1e-6));
            assertThat(two.sigma()).containsExactly(one.sigma(), within(1e-6));
            assertThat(two.floor()).isEqualTo(one.floor());
            assertThat(one.spansPart()).isEqualTo(side == Side.RIGHT);
            for (int j = 0; j < 6; j++) {
                assertThat(two.overlap()[j]).containsExactly(one.overlap()[j], within(1e-6));
            }
        }
    }

    /// v = ±1/8 resembles a unit vector as little as u = 1/8 does, so both sides tell the same here, as
    /// long as it is the side's own vectors that are looked at.
    @Test
    void countsIntrudersOnTheRight() {
        var spectra = Spectra.of(model(base()).selection());
        MatrixSpectrum right =
                spectra.compare(spike(20), 10, 0.5, Side.RIGHT).matrices().getFirst();
        assertThat(right.likeness()[0]).isCloseTo(0.1375, within(5e-5));
        assertThat(right.intruders(0.5)).containsExactly(0);
        // Only the outputs are new: u is random, v a vector of the base.
        double[] left = new double[N];
        Arrays.fill(left, 20 / 8.0);
        double[] own = new double[N];
        own[0] = 1;
        Delta outputs =
                change(LowRankDelta.of(Spectrum.tensor(left, N, 1), Spectrum.tensor(own, 1, N)));
        assertThat(spectra.compare(outputs, 10, 0.5, Side.LEFT).intruders()).isEqualTo(1);
        assertThat(spectra.compare(outputs, 10, 0.5, Side.RIGHT).intruders()).isZero();
    }

    @Test
    void theOverlapIsTheCosinesOfTheLargestVectors() {
        MatrixSpectrum same = compare(base(), spike(0));
        for (int j = 0; j < 10; j++) {
            for (int i = 0; i < 10; i++) {
                assertThat(same.overlap()[j][i]).isCloseTo(i == j ? 1 : 0, within(1e-9));
            }
        }
        // W = 20·u·vᵀ + …: its first vector resembles all of the base's alike, the next ones each
        // the one
        // of their place less one.
        MatrixSpectrum spiked = compare(base(), spike(20));
        assertThat(spiked.overlap()[0][0]).isCloseTo(0.1375, within(5e-5));
        assertThat(spiked.overlap()[1][0]).isCloseTo(0.9496, within(5e-5));
        assertThat(spiked.overlap()[2][1]).isCloseTo(0.9538, within(5e-5));
    }

    /// The page is well formed, has a cell for each cosine, and marks the intruders.
    @Test
    void drawsHeatMaps() throws Exception {
        SpectraReport report = report(base(), spike(20));
        String page = report.toHtml();
        var document =
                DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(
                                new InputSource(
                                        new StringReader(
                                                page.replace("<!DOCTYPE html>", "")
                                                        .replace("<meta charset=\"utf-8\">", ""))));
        NodeList cells = document.getElementsByTagName("td");
        assertThat(cells.getLength()).isEqualTo(10 + 10 * 10);
        var first = (Element) cells.item(0);
        assertThat(first.getTextContent()).isEqualTo("0.14");
        assertThat(first.getAttribute("class")).isEqualTo("intruder");
        assertThat(first.getAttribute("title")).isEqualTo("σ1 = 20.12");
        assertThat(((Element) cells.item(1)).getAttribute("class")).isEmpty();
        assertThat(cells.item(1).getTextContent()).isEqualTo("0.95");
        // The second row of the cosines begins with the likeness of the second vector to the first.
        var likest = (Element) cells.item(10 + 10);
        assertThat(likest.getTextContent()).isEqualTo("0.95");
        assertThat(brightness(likest)).isLessThan(brightness(first));
        assertThat(page).contains("1 intruders").contains(PATH).doesNotContain("skipped");
    }

    private static int brightness(Element cell) {
        String style = cell.getAttribute("style");
        String[] rgb = style.substring(style.indexOf('(') + 1, style.indexOf(')')).split(",");
        return Arrays.stream(rgb).mapToInt(Integer::parseInt).sum();
    }

    private final double[] base = base();

    private static double[] change5() {
        TensorDelta d = spike(5).changes().get(PATH);
        assertThat(d).isNotNull();
        return d.dense().toDoubles();
    }

    private static Delta dense(double[] change) {
        return change(DenseDelta.of(Spectrum.tensor(change, N, N)));
    }

    /// Equal singular values leave their vectors undefined; the span of the near ones is not.
    @Test
    void aTurnAmongEqualSingularValuesIsSeenInTheSpan() {
        double[] d = new double[N];
        Arrays.setAll(d, i -> i < 4 ? 2 : 1 - i / (2.0 * N));
        double[] weight = Spectrum.diagonal(d);
        double[] turn = Spectrum.rotation(4, 9);
        double[] block = new double[N * N];
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
                // W' = R·diag(2.03 …)·Rᵀ in the corner: new vectors, the old span.
                for (int p = 0; p < 4; p++) {
                    block[i * N + j] += turn[i * 4 + p] * (2 + 0.01 * p) * turn[j * 4 + p];
                }
            }
            block[i * N + i] -= 2;
        }
        MatrixSpectrum m = compare(weight, dense(block));
        assertThat(Arrays.stream(m.likeness()).limit(4).min().orElseThrow()).isLessThan(0.9);
        assertThat(m.within()).containsExactly(ones(10), within(1e-4));
    }

    @Test
    void singularValuesOfFactorsAreThoseOfTheProduct() {
        var rng = Rng.of(3);
        var low = LowRankDelta.of(Ops.randn(rng, 20, 3), Ops.randn(rng, 3, 17));
        double[] whole = Spectra.singularValues(DenseDelta.of(low.dense()));
        double[] quick = Spectra.singularValues(low);
        assertThat(quick).hasSize(3).containsExactly(Arrays.copyOf(whole, 3), within(1e-4));
        assertThat(whole[3]).isLessThan(1e-5);
        ChangeSpread spread = ChangeSpread.of(new double[] {2, 1, 1}, new double[] {3, 4});
        assertThat(spread.stableRank()).isCloseTo(6 / 4.0, within(1e-12));
        // p = ½, ¼, ¼: the entropy is 1.5·ln 2.
        assertThat(spread.effectiveRank()).isCloseTo(Math.pow(2, 1.5), within(1e-12));
        assertThat(spread.relativeNorm()).isCloseTo(Math.sqrt(6) / 5, within(1e-12));
    }

    @Test
    void reportsWhatItDidNotLookAt() {
        var model =
                Spectrum.weights(
                        "layers.0.weight", Ops.randn(Rng.of(1), 20, 18),
                        "layers.1.weight", Ops.randn(Rng.of(2), 8, 18),
                        "norm", Ops.ones(18));
        var delta =
                Delta.of(
                        Map.of(
                                "layers.0.weight", DenseDelta.of(Ops.randn(Rng.of(3), 20, 18)),
                                "layers.1.weight", DenseDelta.of(Ops.ones(8, 18)),
                                "norm", DenseDelta.of(Ops.ones(18))));
        SpectraReport report = Spectra.of(model.selection()).compare(delta, 3, 0.5);
        assertThat(report.matrices()).hasSize(1);
        assertThat(report.skipped()).containsOnlyKeys("layers.1.weight");
        assertThat(report.unseen()).containsExactly("norm");
        assertThat(report.toString())
                .contains("skipped layers.1.weight: 8 rows")
                .contains("not looked at: norm")
                .contains("* vectors longer than there are of them")
                .contains("a random direction");
        JsonObject json = JsonObject.parse("report", report.toJson().toString());
        assertThat(json.integer("intruders")).isEqualTo(report.intruders());
        assertThat(json.list("matrices")).hasSize(1);

        assertThatThrownBy(() -> Spectra.of(model.selection().blocks(b -> b == 1)))
                .hasMessageContaining("no matrix");
        var spectra = Spectra.of(model.selection());
        assertThatThrownBy(() -> spectra.compare(delta, 0, 0.5)).hasMessageContaining("k >= 1");
        assertThatThrownBy(() ->
                        spectra.compare(
                                Delta.of(
                                        Map.of("layers.0.weight", DenseDelta.of(Ops.ones(18, 20)))),
                                3,
                                0.5))
                .hasMessageContaining("[18,20]");
    }

    @Test
    void readsAnAdapterWithoutMergingIt() {
        CausalLM model = TinyModel.create();
        var spectra = Spectra.of(model.selection().blocks(b -> true));
        Adapter adapter = Lora.rank(1).attach(model, "model.layers.**_proj");
        adapter.parameters().values().forEach(p -> p.assign(Ops.full(p.dtype(), p.shape(), 3)));
        float[] logits = TinyModel.logits(model).toFloats();
        SpectraReport report = spectra.compare(adapter.delta(), 2, 0.6);
        assertThat(report.intruders()).isPositive();
        assertThat(report.meanStableRank()).isCloseTo(1, within(1e-5));
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(logits);
    }

    /// The decomposition that all of this stands on, on all 42 matrices of a real model.
    @Test
    void decomposesTheMatricesOfStories() {
        CausalLM model = CausalLM.load(Assets.require("models/stories15m"));
        var matrices = model.selection().blocks(b -> true).where(e -> e.parameter().rank() == 2);
        assertThat(matrices.size()).isEqualTo(42);
        matrices.forEach(e -> {
            int rows = e.parameter().dim(0);
            int cols = e.parameter().dim(1);
            int k = Math.min(rows, cols);
            double[] w = e.parameter().toDoubles();
            var svd = Decompositions.svd(w, rows, cols);
            double[] stretched = svd.u().clone();
            for (int i = 0; i < stretched.length; i++) {
                stretched[i] *= svd.s()[i % k];
            }
            double[] rebuilt = Spectrum.product(stretched, svd.vt(), rows, k, cols);
            assertThat(distance(rebuilt, w) / norm(w)).as(e.path()).isLessThan(1e-6);
            double[] identity = Spectrum.diagonal(ones(k));
            double[] ut = Spectrum.transposed(svd.u(), rows, k);
            double[] v = Spectrum.transposed(svd.vt(), k, cols);
            assertThat(distance(Spectrum.product(ut, svd.u(), k, rows, k), identity))
                    .as(e.path())
                    .isLessThan(1e-6);
            assertThat(distance(Spectrum.product(svd.vt(), v, k, cols, k), identity))
                    .as(e.path())
                    .isLessThan(1e-6);
        });
    }

    private static double distance(double[] a, double[] b) {
        double[] difference = new double[a.length];
        Arrays.setAll(difference, i -> a[i] - b[i]);
        return norm(difference);
    }

    private static double norm(double[] a) {
        return Math.sqrt(Arrays.stream(a).map(x -> x * x).sum());
    }

    private static double[] ones(int k) {
        double[] ones = new double[k];
        Arrays.fill(ones, 1);
        return ones;
    }
}
