package io.github.panagrad.adapters.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.ParamTable;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeltaTest {
    private static final double TOLERANCE = 1e-6;

    /// Parameters of any shapes, by name.
    private static final class Weights extends Module {
        Weights(Map<String, Tensor> values) {
            values.forEach((name, t) -> parameter(name, t.copy()));
        }
    }

    private static Weights model() {
        var rng = Rng.of(3);
        var values = new LinkedHashMap<String, Tensor>();
        values.put("embed.weight", Ops.randn(rng, 5, 4));
        values.put("layers.0.up", Ops.randn(rng, 6, 4));
        values.put("layers.1.up", Ops.randn(rng, 6, 4));
        values.put("layers.1.conv", Ops.randn(rng, 2, 3, 4));
        values.put("norm", Ops.randn(rng, 4));
        return new Weights(values);
    }

    private static ParamSelection selection(Module model) {
        return ParamSelection.of(
                model, ParamTable.blocksAt("layers").with(ParamCategory.NORM, "norm"));
    }

    private static TensorDelta sparse(Shape shape, long seed) {
        Tensor drawn = Ops.randn(Rng.of(seed), shape.toArray());
        return SparseDelta.of(Ops.where(drawn.gt(0.8), drawn, drawn.mul(0)), 0);
    }

    private static Delta mixed(long seed) {
        var rng = Rng.of(seed);
        var changes = new LinkedHashMap<String, TensorDelta>();
        changes.put("embed.weight", DenseDelta.of(Ops.randn(rng, 5, 4)));
        changes.put("layers.0.up", sparse(Shape.of(6, 4), seed));
        changes.put("layers.1.up", LowRankDelta.of(Ops.randn(rng, 6, 1), Ops.randn(rng, 1, 4)));
        changes.put("layers.1.conv", sparse(Shape.of(2, 3, 4), seed + 1));
        return Delta.of(changes);
    }

    private static Map<String, int[]> bits(Map<String, ? extends Tensor> state) {
        var bits = new LinkedHashMap<String, int[]>();
        state.forEach((name, t) -> bits.put(name, bits(t)));
        return bits;
    }

    private static int[] bits(Tensor t) {
        float[] values = t.toFloats();
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
        return bits;
    }

    private static void assertClose(Delta actual, Delta expected) {
        assertThat(actual.changes().keySet())
                .containsExactlyInAnyOrderElementsOf(expected.changes().keySet());
        actual.changes()
                .forEach((path, d) -> {
                    TensorDelta other = expected.changes().get(path);
                    assertThat(other).isNotNull();
                    assertThat(d.dense().sub(other.dense()).abs().max().item())
                            .as(path)
                            .isLessThan(TOLERANCE);
                });
    }

    /// The example of composable sparse fine-tuning: places that both change add up.
    @Test
    void composesSparseChanges() {
        var model = new Weights(Map.of("w", Ops.ones(5)));
        var first = SparseDelta.of(Shape.of(5), new int[] {0, 3}, new float[] {.5f, -.2f});
        var second = SparseDelta.of(Shape.of(5), new int[] {1, 3}, new float[] {.1f, .3f});
        var both = Delta.of(Map.of("w", first)).plus(Delta.of(Map.of("w", second)));
        assertThat(both.changes().get("w")).isInstanceOf(SparseDelta.class);
        assertThat(both.stored()).isEqualTo(3);
        AppliedDelta applied = both.apply(model);
        assertThat(model.parameters().get("w").toFloats()).containsExactly(1.5f, 1.1f, 1, 1.1f, 1);
        applied.revert();
        assertThat(model.parameters().get("w").toFloats()).containsOnly(1);
    }

    @Test
    void sumsDoNotDependOnTheOrder() {
        assertClose(mixed(1).plus(mixed(2)), mixed(2).plus(mixed(1)));
        Delta left = mixed(1).plus(mixed(2)).plus(mixed(3));
        assertClose(left, mixed(1).plus(mixed(2).plus(mixed(3))));
        assertClose(mixed(1).plus(mixed(1)), mixed(1).times(2));
    }

    @Test
    void keepsTheFormAsLongAsItPays() {
        var rng = Rng.of(0);
        var thin = LowRankDelta.of(Ops.randn(rng, 6, 1), Ops.randn(rng, 1, 4));
        assertThat(thin.plus(thin)).isInstanceOf(LowRankDelta.class);
        assertThat(((LowRankDelta) thin.plus(thin)).rank()).isEqualTo(2);
        assertThat(thin.plus(thin).plus(thin)).isInstanceOf(DenseDelta.class);
        assertThat(thin.plus(sparse(Shape.of(6, 4), 1))).isInstanceOf(DenseDelta.class);
        assertThat(thin.times(2)).isInstanceOf(LowRankDelta.class);
    }

    @Test
    void revertsBitForBit() {
        var model = model();
        var before = bits(model.stateDict());
        AppliedDelta applied = mixed(5).apply(model);
        assertThat(bits(model.stateDict()).get("norm")).isEqualTo(before.get("norm"));
        assertThat(bits(model.stateDict()).get("layers.0.up"))
                .isNotEqualTo(before.get("layers.0.up"));
        applied.close();
        applied.close();
        bits(model.stateDict()).forEach((n, b) -> assertThat(b).as(n).isEqualTo(before.get(n)));
    }

    @Test
    void leavesElementsThatDoNotChangeTheirBits() {
        var model = new Weights(Map.of("w", Ops.tensor(-0.0, 0.0, 1, Float.MIN_VALUE)));
        int[] before = bits(model.parameters().get("w"));
        Delta.of(Map.of("w", DenseDelta.of(Ops.tensor(0.0, -0.0, 0, -0.0)))).apply(model);
        assertThat(bits(model.parameters().get("w"))).isEqualTo(before);
    }

    @Test
    void widensStorageTypesAndGivesThemBack() {
        var model = model();
        model.to(DType.BF16);
        var before = bits(model.stateDict());
        AppliedDelta applied = mixed(5).times(1e-3).apply(model);
        assertThat(model.stateDict().get("embed.weight").dtype()).isEqualTo(DType.F32);
        applied.revert();
        assertThat(model.stateDict().values()).allMatch(t -> t.dtype() == DType.BF16);
        bits(model.stateDict()).forEach((n, b) -> assertThat(b).as(n).isEqualTo(before.get(n)));
    }

    @Test
    void revertsInTheOppositeOrderOnly() {
        var model = model();
        var before = bits(model.stateDict());
        AppliedDelta first = mixed(1).apply(model);
        AppliedDelta second = mixed(2).apply(model);
        assertThatThrownBy(first::revert)
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("embed.weight")
                .hasMessageContaining("later first");
        second.revert();
        first.revert();
        bits(model.stateDict()).forEach((n, b) -> assertThat(b).as(n).isEqualTo(before.get(n)));
    }

    @Test
    void takesDifferencesAndPutsThemBack() {
        var model = model();
        Map<String, Tensor> base = Delta.snapshot(model);
        AppliedDelta applied = mixed(4).apply(model);
        Delta difference = Delta.difference(base, model.stateDict());
        applied.revert();
        assertThat(difference.changes()).doesNotContainKey("norm").hasSize(4);
        difference
                .changes()
                .forEach((path, d) -> {
                    TensorDelta wanted = mixed(4).changes().get(path);
                    assertThat(wanted).isNotNull();
                    assertThat(d.dense().sub(wanted.dense()).abs().max().item()).isLessThan(1e-6);
                });
        Delta thin = difference.sparse(0.5);
        assertThat(thin.stored()).isLessThan(difference.stored());
        assertThat(thin.changes().values()).allMatch(d -> d instanceof SparseDelta);
    }

    @Test
    void scalesByBlock() {
        var model = model();
        Delta delta = mixed(6);
        Delta scaled = delta.scaleByBlock(selection(model), b -> b == 0 ? 2 : 3, 0.5);
        assertClose(part(scaled, "embed.weight"), part(delta, "embed.weight").times(0.5));
        assertClose(part(scaled, "layers.0.up"), part(delta, "layers.0.up").times(2));
        assertClose(part(scaled, "layers.1.conv"), part(delta, "layers.1.conv").times(3));
        var elsewhere = Delta.of(Map.of("layers.3.up", DenseDelta.of(Ops.ones(2))));
        assertThatThrownBy(() -> elsewhere.scaleByBlock(selection(model), b -> 1, 1))
                .hasMessageContaining("layers.3.up");
        assertThatThrownBy(() -> delta.times(Double.NaN)).hasMessageContaining("not finite");
    }

    private static Delta part(Delta delta, String path) {
        TensorDelta change = delta.changes().get(path);
        assertThat(change).isNotNull();
        return Delta.of(Map.of(path, change));
    }

    @Test
    void savesAndLoadsBitForBit(@TempDir Path folder) {
        Delta delta = mixed(8);
        delta.save(folder.resolve("new/delta"));
        Delta back = Delta.load(folder.resolve("new/delta"));
        assertThat(back.changes().keySet()).containsExactlyElementsOf(delta.changes().keySet());
        delta.changes()
                .forEach((path, d) -> {
                    TensorDelta read = back.changes().get(path);
                    assertThat(read).isNotNull().hasSameClassAs(d);
                    assertThat(read.stored()).isEqualTo(d.stored());
                    assertThat(bits(read.dense())).as(path).isEqualTo(bits(d.dense()));
                });
        // The numbers of a tensor of three dimensions are row-major.
        var conv = (SparseDelta) back.changes().get("layers.1.conv");
        assertThat(conv).isNotNull();
        int last = conv.entries()[conv.entries().length - 1];
        assertThat(conv.dense().at(last / 12, last / 4 % 3, last % 4))
                .isEqualTo(conv.values()[conv.values().length - 1]);
    }

    @Test
    void namesWhatDoesNotFit() {
        var model = model();
        var before = bits(model.stateDict());
        assertThatThrownBy(() -> Delta.of(Map.of("head", DenseDelta.of(Ops.ones(4)))).apply(model))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("head")
                .hasMessageContaining("embed.weight");
        var changes = new LinkedHashMap<String, TensorDelta>();
        changes.put("norm", DenseDelta.of(Ops.ones(4)));
        changes.put("embed.weight", DenseDelta.of(Ops.ones(4, 5)));
        assertThatThrownBy(() -> Delta.of(changes).apply(model))
                .hasMessageContaining("embed.weight")
                .hasMessageContaining("[4,5]")
                .hasMessageContaining("[5,4]");
        bits(model.stateDict()).forEach((n, b) -> assertThat(b).as(n).isEqualTo(before.get(n)));
        assertThatThrownBy(() -> Delta.of(changes).plus(mixed(1)))
                .hasMessageStartingWith("embed.weight: ");
        assertThatThrownBy(() -> Delta.difference(model.stateDict(), Map.of("norm", Ops.ones(4))))
                .hasMessageContaining("no layers.0.up");
        var other = new LinkedHashMap<>(model.stateDict());
        other.put("norm", Ops.ones(5));
        assertThatThrownBy(() -> Delta.difference(model.stateDict(), other))
                .hasMessageContaining("shapes differ at norm");
    }
}
