package io.github.panagrad.adapters.sparse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.adapters.TinyModel;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.ParamMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MaskRuleTest {
    private static Parameter parameter(String name, double... values) {
        return new Parameter(name, Ops.tensor(values));
    }

    private static List<List<Integer>> entries(Map<Parameter, ParamMask> masks) {
        return masks.values().stream()
                .map(m -> Arrays.stream(m.entries()).boxed().toList())
                .toList();
    }

    @Test
    void choosesOverAllParametersTogether() {
        Parameter a = parameter("a", 1, -5, 0, 2);
        Parameter b = parameter("b", 4, 3);
        var masks = MaskRule.largestMagnitude().choose(List.of(a, b), 3);
        assertThat(entries(masks)).containsExactly(List.of(1), List.of(0, 1));
        assertThat(entries(MaskRule.largestMagnitude().choose(List.of(a, b), 1)))
                .containsExactly(List.of(1), List.of());
    }

    @Test
    void tiesGoToTheEarlierParameterThenToTheLowerIndex() {
        Parameter a = parameter("a", 0, 7, -0.0, 0);
        Parameter b = parameter("b", 0, 7);
        MaskRule rule = MaskRule.largestMagnitude();
        assertThat(entries(rule.choose(List.of(a, b), 1))).containsExactly(List.of(1), List.of());
        assertThat(entries(rule.choose(List.of(b, a), 1))).containsExactly(List.of(1), List.of());
        assertThat(entries(rule.choose(List.of(a, b), 4)))
                .containsExactly(List.of(0, 1, 2), List.of(1));
        assertThat(entries(rule.choose(List.of(a, b), 6)))
                .containsExactly(List.of(0, 1, 2, 3), List.of(0, 1));
    }

    @Test
    void aTiedParameterCountsOnce() {
        Parameter a = parameter("a", 1, 2);
        Parameter b = parameter("b", 3);
        assertThat(entries(MaskRule.largestMagnitude().choose(List.of(a, b, a), 3)))
                .containsExactly(List.of(0, 1), List.of(0));
        assertThatThrownBy(() -> MaskRule.largestMagnitude().choose(List.of(a, b, a), 4))
                .hasMessageContaining("mask: cannot choose that many entries; got 4 of 3");
    }

    @Test
    void choosesWhatSortingWould() {
        for (long seed = 0; seed < 20; seed++) {
            var all = new ArrayList<Parameter>();
            var scores = new ArrayList<Double>();
            for (int p = 0; p < 3; p++) {
                // Few different values, so that there are many ties.
                Tensor values = Ops.randn(Rng.of(seed * 3 + p), 40 + p);
                double[] rounded = values.toDoubles();
                for (int i = 0; i < rounded.length; i++) {
                    rounded[i] = seed % 2 == 0 ? rounded[i] : Math.rint(4 * rounded[i]);
                    scores.add((double) (float) Math.abs(rounded[i]));
                }
                all.add(parameter("p" + p, rounded));
            }
            for (int k : new int[] {1, 2, 60, 122, 123}) {
                var order = new ArrayList<Integer>();
                for (int i = 0; i < scores.size(); i++) {
                    order.add(i);
                }
                order.sort((i, j) -> Double.compare(scores.get(j), scores.get(i)));
                var expected = order.subList(0, k).stream().sorted().toList();
                var chosen = new ArrayList<Integer>();
                int offset = 0;
                for (var mask : MaskRule.largestMagnitude().choose(all, k).entrySet()) {
                    for (int entry : mask.getValue().entries()) {
                        chosen.add(offset + entry);
                    }
                    offset += (int) mask.getKey().size();
                }
                assertThat(chosen).as("seed " + seed + ", k " + k).isEqualTo(expected);
            }
        }
    }

    @Test
    void randomChoicesDependOnTheSeedAloneAndAreEven() {
        List<Parameter> all =
                List.of(
                        new Parameter("a", Ops.zeros(300, 100)),
                        new Parameter("b", Ops.zeros(100, 100)));
        var masks = MaskRule.random(5).choose(all, 4000);
        assertThat(entries(MaskRule.random(5).choose(all, 4000))).isEqualTo(entries(masks));
        assertThat(entries(MaskRule.random(6).choose(all, 4000))).isNotEqualTo(entries(masks));
        // 1000 expected; five standard deviations of the binomial are 137.
        assertThat(masks.get(all.get(1)).count()).isBetween(863, 1137);
    }

    @Test
    void changeIsMeasuredFromOtherValues() {
        Parameter a = parameter("a", 1, 10, 3);
        MaskRule rule = MaskRule.largestChange(Map.of(a, Ops.tensor(1, 9, 5)));
        assertThat(entries(rule.choose(List.of(a), 1))).containsExactly(List.of(2));
        assertThatThrownBy(() -> rule.choose(List.of(parameter("b", 1)), 1))
                .hasMessageContaining("largest change: no earlier values of parameter b");
    }

    @Test
    void whatIsTakenIsNotChosenAgain() {
        Parameter a = parameter("a", 4, 3, 2, 1);
        var first = MaskRule.largestMagnitude().choose(List.of(a), 2);
        var second = MaskRule.largestMagnitude().choose(List.of(a), 1, first);
        assertThat(entries(second)).containsExactly(List.of(2));
        assertThatThrownBy(() -> MaskRule.largestMagnitude().choose(List.of(a), 3, first))
                .hasMessageContaining("got 3 of 2");
    }

    @Test
    void badScoresAndDensitiesAreNamed() {
        Parameter a = parameter("a", 1, Double.NaN);
        assertThatThrownBy(() -> MaskRule.largestMagnitude().choose(List.of(a), 1))
                .hasMessageContaining("mask of a: the score of entry 1 is not one; got NaN");
        for (double density : new double[] {0, 1.1, Double.NaN}) {
            assertThatThrownBy(() -> MaskRule.count(List.of(a), density))
                    .hasMessageContaining("density: out of range");
        }
        assertThat(MaskRule.count(List.of(a), 0.01)).isEqualTo(1);
    }

    @Test
    void sparseMasksLeaveExactlyTheirShareLive() {
        var model = TinyModel.create();
        model.freeze();
        model.unfreeze(PathPattern.of("model.layers.**"));
        var chooser = new LargestGradients(model.trainable());
        chooser.add(TinyModel.loss(model).backward());
        var masks = chooser.masks(0.05);
        long total = model.trainable().stream().mapToLong(Tensor::size).sum();
        long live = masks.values().stream().mapToLong(m -> m.count()).sum();
        assertThat(live).isEqualTo(Math.round(0.05 * total));

        Map<String, float[]> before = new LinkedHashMap<>();
        model.stateDict().forEach((name, t) -> before.put(name, t.toFloats()));
        var optimizer = AdamW.of(model.trainable()).lr(0.01).weightDecay(0.1);
        masks.forEach(optimizer::mask);
        for (int step = 0; step < 3; step++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        assertThat(optimizer.stateSize()).isEqualTo(2 * live);
        long changed = 0;
        for (var entry : masks.entrySet()) {
            float[] was = before.get(entry.getKey().name());
            float[] is = entry.getKey().toFloats();
            int[] entries = entry.getValue().entries();
            for (int i = 0; i < is.length; i++) {
                if (Arrays.binarySearch(entries, i) < 0) {
                    assertThat(Float.floatToIntBits(is[i])).isEqualTo(Float.floatToIntBits(was[i]));
                } else if (is[i] != was[i]) {
                    changed++;
                }
            }
        }
        assertThat(changed).isEqualTo(live);
    }
}
