package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.adapters.delta.AppliedDelta;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.LowRankDelta;
import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What every method has to show.
class AdapterMethodsTest {
    static Stream<MethodCase> methods() {
        return Stream.of(LowRankMethods.all(), InsertedMethods.all(), FactoredMethods.all())
                .flatMap(s -> s);
    }

    private static Adapter attach(MethodCase c, CausalLM model) {
        return c.method().attach(model, c.targets());
    }

    private static Adapter trained(MethodCase c, CausalLM model) {
        Adapter adapter = attach(c, model);
        var optimizer = AdamW.of(model.trainable()).lr(0.02);
        for (int step = 0; step < 3; step++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        return adapter;
    }

    private static void assertClose(float[] actual, float[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).isCloseTo(expected[i], offset(tolerance));
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void startsAsTheBaseModelIfItSaysSo(MethodCase c) {
        var model = TinyModel.create();
        float[] before = TinyModel.logits(model).toFloats();
        Adapter adapter = attach(c, model);
        float[] with = TinyModel.logits(model).toFloats();
        if (c.startsAsBase()) {
            assertClose(with, before, 1e-5);
        } else {
            assertThat(with).isNotEqualTo(before);
        }
        adapter.enabled(false);
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(before);
        adapter.enabled(true);
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(with);
        adapter.detach();
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void trainsAllOfItsOwnAndNothingElse(MethodCase c) {
        var model = TinyModel.create();
        Map<String, float[]> before = new LinkedHashMap<>();
        model.stateDict().forEach((name, t) -> before.put(name, t.toFloats()));
        Adapter adapter = attach(c, model);
        assertThat(Set.copyOf(model.trainable()))
                .isNotEmpty()
                .isSubsetOf(Set.copyOf(adapter.parameters().values()));

        double first = TinyModel.loss(model).item();
        var optimizer = AdamW.of(model.trainable()).lr(0.02);
        Set<Parameter> moved = new HashSet<>();
        for (int step = 0; step < 3; step++) {
            Grads grads = TinyModel.loss(model).backward();
            if (step < 2) {
                for (Parameter p : model.trainable()) {
                    Tensor g = grads.find(p).orElse(null);
                    double sum = g == null ? 0 : g.abs().sum().item();
                    assertThat(sum).as(p.name()).isFinite();
                    if (sum > 0) {
                        moved.add(p);
                    }
                }
            }
            optimizer.step(grads);
        }
        assertThat(moved).isEqualTo(Set.copyOf(model.trainable()));
        assertThat(TinyModel.loss(model).item()).isLessThan(first);
        model.stateDict()
                .forEach((name, t) -> assertThat(t.toFloats()).isEqualTo(before.get(name)));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void savesAndLoadsBitForBit(MethodCase c, @TempDir Path folder) {
        var model = TinyModel.create();
        trained(c, model).save(folder);
        float[] logits = TinyModel.logits(model).toFloats();
        var fresh = TinyModel.create();
        Adapter.load(fresh, folder);
        assertThat(TinyModel.logits(fresh).toFloats()).isEqualTo(logits);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void mergesIfItCan(MethodCase c) {
        var model = TinyModel.create();
        Adapter adapter = trained(c, model);
        float[] adapted = TinyModel.logits(model).toFloats();
        Map<String, float[]> weights = new HashMap<>();
        model.stateDict().forEach((name, t) -> weights.put(name, t.toFloats()));
        if (!c.merges()) {
            assertThatThrownBy(adapter::merge).hasMessageContaining("cannot be merged");
        } else {
            assertThat(adapter.merge(() -> TinyModel.logits(model))).isLessThan(1e-4);
            adapter.unmerge();
        }
        model.stateDict()
                .forEach((name, t) -> assertThat(t.toFloats()).isEqualTo(weights.get(name)));
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(adapted);
    }

    /// Methods for a model whose rows are long enough for blocks of four bits.
    static Stream<MethodCase> wideMethods() {
        return Stream.of(
                        LowRankMethods.all(TinyModel.wide()),
                        InsertedMethods.all(),
                        FactoredMethods.all())
                .flatMap(s -> s);
    }

    @ParameterizedTest
    @MethodSource("wideMethods")
    void worksOnABaseInStorageTypes(MethodCase c) {
        for (DType dtype : new DType[] {DType.BF16, DType.NF4}) {
            var model = TinyModel.wide();
            model.to(dtype);
            Adapter adapter = trained(c, model);
            model.stateDict()
                    .forEach((path, t) -> {
                        if (t.rank() == 2) {
                            assertThat(t.dtype()).as(path).isEqualTo(dtype);
                        }
                    });
            assertThat(adapter.parameters().values()).allMatch(p -> p.dtype() == DType.F32);
            for (float logit : TinyModel.logits(model).toFloats()) {
                assertThat(logit).isFinite();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void isADeltaIfItMerges(MethodCase c) {
        var model = TinyModel.create();
        float[] base = TinyModel.logits(model).toFloats();
        Adapter adapter = trained(c, model).strength(0.5);
        if (!c.merges()) {
            assertThatThrownBy(adapter::delta).hasMessageContaining("no change of this layer");
            return;
        }
        adapter.layerStrengths(Map.of(adapter.targets().getFirst(), 0.25));
        float[] adapted = TinyModel.logits(model).toFloats();
        assertThat(adapted).isNotEqualTo(base);
        Delta delta = adapter.delta();
        adapter.detach();
        AppliedDelta applied = delta.apply(model);
        assertClose(TinyModel.logits(model).toFloats(), adapted, 1e-4);
        applied.revert();
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(base);
        boolean factors = c.method() instanceof AdaLora || c.method() instanceof Lora;
        if (factors && !c.name().equals("dora")) {
            assertThat(delta.changes().values()).allMatch(d -> d instanceof LowRankDelta);
        }
    }

    private static Adapter moved(Adapter adapter) {
        Rng rng = Rng.of(6);
        adapter.parameters().values().stream()
                .filter(Parameter::isTrainable)
                .forEach(p ->
                        p.assign(p.detach().add(Ops.randn(rng, p.shape().toArray()).mul(0.1))));
        return adapter;
    }

    /// Two rows of unlike length.
    private static Batch twoRows() {
        int[] ids = TinyModel.ids(3).toInts();
        return Batches.of(
                        List.of(
                                Example.of(Arrays.copyOf(ids, 9)),
                                Example.of(Arrays.copyOfRange(ids, 9, 15))))
                .size(2)
                .iterator()
                .next();
    }

    private static float[] logits(CausalLM model, Batch batch, Context context) {
        return Ops.noGrad(() -> model.logits(model.hidden(batch, context)).toFloats());
    }

    /// A row of a batch that others share says what it says alone.
    @ParameterizedTest
    @MethodSource("methods")
    void sharesABatchWithOtherAdaptersRowByRow(MethodCase c) {
        var model = TinyModel.create();
        var set = new AdapterSet(model);
        set.add(moved(c.method().attach(model, c.targets(), "first")));
        set.add(moved(Lora.rank(2).seed(9).attach(model, MethodCase.LINEAR, "second")));
        Batch batch = twoRows();
        var alone = new LinkedHashMap<String, float[]>();
        alone.put("", logits(model, batch, Context.EMPTY));
        for (String name : set.names()) {
            set.use(name);
            alone.put(name, logits(model, batch, Context.EMPTY));
        }
        assertThat(Arrays.equals(alone.get("first"), alone.get(""))).isFalse();
        for (String one : alone.keySet()) {
            for (String two : alone.keySet()) {
                Context rows = set.rows(one, two);
                boolean some = one.equals("first") != two.equals("first");
                if (c.method() instanceof PromptTuning && some) {
                    assertThatThrownBy(() -> logits(model, batch, rows))
                            .hasMessageContaining("a prompt is for whole batches");
                    continue;
                }
                float[] mixed = logits(model, batch, rows);
                int half = mixed.length / 2;
                float[] expected = alone.get(one).clone();
                System.arraycopy(alone.get(two), half, expected, half, half);
                assertClose(mixed, expected, 1e-5);
            }
        }
    }

    @Test
    void refusesStrengthsThatAreNone() {
        Adapter adapter = Lora.rank(2).attach(TinyModel.create(), "**.q_proj");
        assertThatThrownBy(() -> adapter.layerStrengths(Map.of("model.norm", 1.0)))
                .hasMessageContaining("model.norm");
        String path = adapter.targets().getFirst();
        assertThatThrownBy(() -> adapter.layerStrengths(Map.of(path, Double.NaN)))
                .hasMessageContaining("not finite");
    }
}
