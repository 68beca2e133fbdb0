package io.github.panagrad.adapters.spectra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Assets;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.TinyModel;
import io.github.panagrad.adapters.spectra.ConditionNumbers.Ranking;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConditionNumbersTest {
    private static double kappa(double[] a, int rows, int cols) {
        return Condition.of(a, rows, cols).kappa();
    }

    @Test
    void knownValues() {
        double[] a = Spectrum.diagonal(4, 2, 1);
        assertThat(kappa(a, 3, 3)).isCloseTo(4, within(1e-12));
        assertThat(kappa(Spectrum.rotation(7, 1), 7, 7)).isCloseTo(1, within(1e-12));
        assertThat(kappa(Spectrum.diagonal(4, 2, 0), 3, 3)).isInfinite();
        double[] twice = Ops.randn(Rng.of(2), 5, 4).toDoubles();
        System.arraycopy(twice, 0, twice, 4, 4);
        assertThat(kappa(twice, 5, 4)).isFinite();
        double[] deficient = Spectrum.transposed(twice, 5, 4);
        System.arraycopy(deficient, 0, deficient, 5, 5);
        assertThat(kappa(deficient, 4, 5)).isInfinite();
        assertThat(kappa(new double[6], 2, 3)).isInfinite();
    }

    @Test
    void scaleTransposeAndRotationLeaveKappa() {
        double[] a = Ops.randn(Rng.of(3), 6, 4).toDoubles();
        double kappa = kappa(a, 6, 4);
        assertThat(kappa(Spectrum.scaled(a, 1e-3), 6, 4)).isCloseTo(kappa, within(1e-9));
        assertThat(kappa(Spectrum.transposed(a, 6, 4), 4, 6)).isCloseTo(kappa, within(1e-9));
        double[] turned = Spectrum.product(Spectrum.rotation(6, 4), a, 6, 6, 4);
        assertThat(kappa(turned, 6, 4)).isCloseTo(kappa, within(1e-9));
    }

    @Test
    void logVolumeIsZeroForEqualStretchesAndBelowForOthers() {
        assertThat(Condition.of(Spectrum.rotation(5, 1), 5, 5).logVolume())
                .isCloseTo(0, within(1e-12));
        // Σ log σ / 2 − ½·log((4 + 1)/2), with σ = 2, 1.
        Condition c = Condition.of(Spectrum.diagonal(2, 1), 2, 2);
        double expected = Math.log(2) / 2 - Math.log(2.5) / 2;
        assertThat(c.logVolume()).isCloseTo(expected, within(1e-12)).isNegative();
        double[] scaled = Spectrum.diagonal(200, 100);
        assertThat(Condition.of(scaled, 2, 2).logVolume()).isCloseTo(expected, within(1e-12));
        assertThat(Condition.of(Spectrum.diagonal(2, 0), 2, 2).logVolume())
                .isEqualTo(Double.NEGATIVE_INFINITY);
    }

    private static Map<String, Condition> invented(long seed) {
        var random = new Random(seed);
        var byPath = new LinkedHashMap<String, Condition>();
        for (int i = 0; i < 12; i++) {
            byPath.put(
                    "p" + i,
                    new Condition(
                            1 + random.nextInt(5), 1 + random.nextInt(5), 1 + i % 4, 0.5, -1));
        }
        return byPath;
    }

    @Test
    void theBudgetHoldsAndTheOrderOfNamesDoesNotMatter() {
        for (long seed = 0; seed < 20; seed++) {
            var byPath = invented(seed);
            var names = new ArrayList<>(byPath.keySet());
            Collections.shuffle(names, new Random(seed));
            var shuffled = new LinkedHashMap<String, Condition>();
            names.forEach(n -> shuffled.put(n, byPath.get(n)));
            long total = byPath.values().stream().mapToLong(Condition::size).sum();
            for (long budget = 0; budget <= total; budget += 7) {
                var chosen =
                        KappaSelection.lowestByParameters(
                                ConditionNumbers.of(byPath), budget, Ranking.RAW);
                long used = chosen.paths().stream().mapToLong(p -> byPath.get(p).size()).sum();
                assertThat(used).as("seed %d", seed).isLessThanOrEqualTo(budget);
                assertThat(
                                KappaSelection.lowestByParameters(
                                        ConditionNumbers.of(shuffled), budget, Ranking.RAW))
                        .as("seed %d", seed)
                        .isEqualTo(chosen);
            }
            assertThat(KappaSelection.lowest(ConditionNumbers.of(byPath), 12, Ranking.RAW).paths())
                    .containsExactlyElementsOf(ConditionNumbers.of(shuffled).ranked(Ranking.RAW))
                    .startsWith("p0", "p4", "p8", "p1");
        }
    }

    @Test
    void relativeTakesTheShapeOut() {
        var rng = Rng.of(5);
        var model =
                Spectrum.weights(
                        "layers.0.weight", Ops.randn(rng, 40, 40),
                        "layers.1.weight", Ops.randn(rng, 80, 20),
                        "layers.2.weight", Ops.randn(rng, 20, 80),
                        "layers.3.weight",
                                Spectrum.tensor(
                                        Spectrum.scaled(Spectrum.rotation(40, 1), 3), 40, 40));
        var conditions = ConditionNumbers.of(model.selection(), 100);
        assertThat(conditions.relative("layers.1.weight")).isBetween(0.7, 1.4);
        assertThat(conditions.relative("layers.2.weight")).isBetween(0.7, 1.4);
        assertThat(conditions.ranked(Ranking.RAW)).last().isEqualTo("layers.0.weight");
        assertThat(conditions.ranked(Ranking.RELATIVE)).first().isEqualTo("layers.3.weight");
        assertThat(conditions.toString()).contains("layers.3.weight").contains("1.0");
    }

    @Test
    void leavesOutVectorsAndWideMatricesAndSkipsWhatIsNotFinite() {
        var model =
                Spectrum.weights(
                        "layers.0.weight", Ops.randn(Rng.of(1), 4, 4),
                        "layers.0.broken", Ops.full(DType.F32, Ops.ones(3, 3).shape(), Double.NaN),
                        "layers.0.norm", Ops.ones(4),
                        "layers.1.conv", Ops.randn(Rng.of(2), 2, 3, 4),
                        "embed.weight", Ops.randn(Rng.of(3), 30, 4));
        var conditions = ConditionNumbers.of(model.selection(), 20);
        assertThat(conditions.byPath()).containsOnlyKeys("layers.0.weight", "layers.1.conv");
        assertThat(conditions.byPath().get("layers.1.conv"))
                .extracting(Condition::cols)
                .isEqualTo(12);
        assertThat(conditions.skipped()).containsOnlyKeys("layers.0.broken");
        assertThatThrownBy(() -> KappaSelection.lowest(conditions, 3, Ranking.RAW))
                .hasMessageContaining("0 to 2")
                .hasMessageContaining("layers.0.broken");
        assertThatThrownBy(() -> conditions.relative("layers.0.broken"))
                .hasMessageContaining("not finite");
        var chosen = KappaSelection.lowest(conditions, 1, Ranking.RAW);
        var other = Spectrum.weights("x.weight", Ops.ones(2, 2));
        assertThatThrownBy(() -> chosen.of(other.selection())).hasMessageContaining("0 of 1");
        assertThatThrownBy(() -> new KappaSelection(List.of()).layers())
                .hasMessageContaining("no layer");
    }

    private static Map<String, float[]> values(CausalLM model) {
        var values = new LinkedHashMap<String, float[]>();
        model.stateDict().forEach((name, t) -> values.put(name, t.toFloats()));
        return values;
    }

    private static Map<String, float[]> trained(ParamSelection chosen, CausalLM model) {
        model.freeze();
        chosen.parameters().forEach(p -> p.trainable(true));
        var optimizer = AdamW.of(chosen.parameters()).lr(0.01).weightDecay(0.1);
        for (int step = 0; step < 3; step++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        return values(model);
    }

    @Test
    void frozenTensorsKeepTheirBits() {
        var model = TinyModel.create();
        var before = values(model);
        var conditions = ConditionNumbers.of(model.selection(), 4096);
        var chosen = KappaSelection.lowest(conditions, 4, Ranking.RAW);
        trained(chosen.of(model.selection()), model)
                .forEach((name, now) -> {
                    if (chosen.paths().contains(name)) {
                        assertThat(now).as(name).isNotEqualTo(before.get(name));
                    } else {
                        assertThat(now).as(name).isEqualTo(before.get(name));
                    }
                });
    }

    @Test
    void choosingAllIsTrainingAllMatrices() {
        var first = TinyModel.create();
        var conditions = ConditionNumbers.of(first.selection(), 4096);
        int all = conditions.byPath().size();
        var chosen = KappaSelection.lowest(conditions, all, Ranking.RAW).of(first.selection());
        var second = TinyModel.create();
        var plain = trained(second.selection().where(e -> e.parameter().rank() == 2), second);
        trained(chosen, first)
                .forEach((name, now) -> assertThat(now).as(name).isEqualTo(plain.get(name)));
    }

    @Test
    void choosingNothingIsTheBase() {
        var model = TinyModel.create();
        var before = values(model);
        var conditions = ConditionNumbers.of(model.selection(), 4096);
        var none = KappaSelection.lowest(conditions, 0, Ranking.RAW).of(model.selection());
        assertThat(none.size()).isZero();
        model.unfreeze();
        assertThatThrownBy(() -> trained(none, model))
                .hasMessageContaining("are all of them frozen");
        assertThat(model.trainable()).isEmpty();
        values(model).forEach((name, now) -> assertThat(now).as(name).isEqualTo(before.get(name)));
    }

    @Test
    void namesLayersForAnAdapter() {
        var model = TinyModel.create();
        var conditions = ConditionNumbers.of(model.selection().blocks(b -> true), 4096);
        var chosen = KappaSelection.lowest(conditions, 5, Ranking.RELATIVE);
        var adapter = Lora.rank(2).attach(model, chosen.layers());
        assertThat(adapter.targets().stream().map(t -> t + ".weight"))
                .containsExactlyInAnyOrderElementsOf(chosen.paths());
        assertThat(model.trainable()).allMatch(Parameter::isTrainable).hasSize(10);
    }

    /// The published rule on a real model: the shape alone puts the feed-forward part first.
    @Test
    void storiesHaveTheirLowestInTheFeedForwardPart() {
        var model = CausalLM.load(Assets.require("models/stories15m"));
        ParamSelection blocks = model.selection().blocks(b -> true);
        var conditions = ConditionNumbers.of(blocks, 4096);
        assertThat(conditions.byPath()).hasSize(42);
        List<String> ranked = conditions.ranked(Ranking.RAW);
        assertThat(ranked.subList(0, 8)).allMatch(p -> p.contains(".mlp."));
        assertThat(ranked.getFirst()).isEqualTo("model.layers.1.mlp.down_proj.weight");
        Condition least = conditions.byPath().get(ranked.getFirst());
        assertThat(least.kappa()).isCloseTo(6.9, within(0.05));
        assertThat(least.largest()).isCloseTo(1.768, within(0.001));
        assertThat(least.smallest()).isCloseTo(0.2559, within(0.0001));
    }

    @Test
    void readsStoredWeightsWidened() {
        Tensor weight = Ops.randn(Rng.of(7), 6, 4).to(DType.BF16);
        var stored = Spectrum.weights("a.weight", weight);
        var wide = Spectrum.weights("a.weight", weight.to(DType.F32));
        assertThat(ConditionNumbers.of(stored.selection(), 9).byPath())
                .isEqualTo(ConditionNumbers.of(wide.selection(), 9).byPath());
    }
}
