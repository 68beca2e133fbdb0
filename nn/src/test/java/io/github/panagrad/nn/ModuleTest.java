package io.github.panagrad.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.layers.Dropout;
import io.github.panagrad.nn.layers.Linear;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.Test;

class ModuleTest {
    /// Two linear maps in a list, a head tied to the first.
    private static final class Net extends Layer {
        final ModuleList<Linear> layers;
        final Linear head;

        Net() {
            Rng rng = Rng.of(1);
            layers =
                    register(
                            "layers",
                            new ModuleList<>(
                                    List.of(new Linear(3, 3, rng), new Linear(3, 3, rng))));
            head = register("head", Linear.tied(layers.get(0).weight()));
        }

        @Override
        protected Tensor forward(Tensor x, Context context) {
            Tensor h = x;
            for (Linear layer : layers) {
                h = layer.call(h, context);
            }
            return head.call(h, context);
        }
    }

    private static final Tensor X = Ops.tensor(new float[] {1, -2, 3}, 1, 3);

    @Test
    void parametersAreNamedByPathAndTiedOnesCountedOnce() {
        var net = new Net();
        assertThat(net.parameters().keySet())
                .containsExactly(
                        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias");
        net.parameters().forEach((path, p) -> assertThat(p.name()).isEqualTo(path));
        assertThat(net.parameterCount()).isEqualTo(24);
        assertThat(net.modules().keySet())
                .containsExactly("", "layers", "layers.0", "layers.1", "head");
        assertThat(net.layers.get(1).path()).isEqualTo("layers.1");
    }

    @Test
    void pathsFollowWhereAModuleIsPut() {
        var net = new Net();
        var outer = new ModuleList<>(List.of(net));
        assertThat(outer.parameters().keySet()).contains("0.layers.1.bias");
        assertThat(net.layers.get(1).bias()).isNotNull();
        assertThat(outer.parameters().get("0.layers.1.bias").name()).isEqualTo("0.layers.1.bias");
    }

    @Test
    void namesAreTakenOnce() {
        var net = new Net();
        assertThatThrownBy(() -> net.attach("head", new Dropout(0)))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "module Net: name is empty or taken; got 'head'; expected a name other than"
                                + " [head, layers]");
    }

    @Test
    void freezingByPattern() {
        var net = new Net();
        net.freeze(PathPattern.of("layers.0"));
        assertThat(net.trainable())
                .extracting(Parameter::name)
                .containsExactly("layers.1.weight", "layers.1.bias");
        assertThat(net.trainableCount()).isEqualTo(12);
        net.unfreeze(PathPattern.of("**.bias"));
        assertThat(net.trainableCount()).isEqualTo(15);
        net.freeze();
        assertThat(net.trainable()).isEmpty();
        assertThatThrownBy(() -> net.unfreeze(PathPattern.of("layer.*")))
                .hasMessageContaining("pattern: matches none of 4 paths; got 'layer.*'");
    }

    @Test
    void stateIsCopiedIn() {
        var from = new Net();
        var into = new Net();
        into.layers.get(0).weight().assign(Ops.zeros(3, 3));
        into.load(from.stateDict());
        assertThat(into.call(X).toFloats()).isEqualTo(from.call(X).toFloats());
        from.layers.get(0).weight().assign(Ops.zeros(3, 3));
        assertThat(into.call(X).toFloats()).isNotEqualTo(from.call(X).toFloats());
    }

    @Test
    void boundStateIsShared() {
        var from = new Net();
        var into = new Net();
        into.bind(from.stateDict());
        from.layers.get(0).weight().assign(Ops.zeros(3, 3));
        assertThat(into.layers.get(0).weight().toFloats()).containsOnly(0);
    }

    @Test
    void tiedStateMayComeUnderEitherName() {
        var net = new Net();
        var state = new LinkedHashMap<>(net.stateDict());
        state.put("head.weight", Ops.ones(3, 3));
        net.load(state);
        assertThat(net.head.weight().toFloats()).isNotEqualTo(Ops.ones(3, 3).toFloats());
        state.remove("layers.0.weight");
        net.load(state);
        assertThat(net.head.weight().toFloats()).containsOnly(1);
    }

    @Test
    void stateThatDoesNotFitIsNamedAndChangesNothing() {
        var net = new Net();
        float[] before = net.call(X).toFloats();
        var state = new LinkedHashMap<String, Tensor>(net.stateDict());
        state.put("layers.0.weight", Ops.zeros(3, 3));
        state.remove("layers.1.bias");
        state.put("layers.2.bias", Ops.zeros(3));
        assertThatThrownBy(() -> net.load(state))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "load: the tensors are not those of the model; got 1 missing:"
                                + " layers.1.bias and 1 unexpected: layers.2.bias; expected 4"
                                + " tensors; do config and weights belong to the same model?");
        state.remove("layers.2.bias");
        state.put("layers.1.bias", Ops.zeros(4));
        assertThatThrownBy(() -> net.load(state))
                .hasMessage(
                        "load: tensor layers.1.bias has a shape that the model contradicts; got [4];"
                                + " expected [3]; do config and weights belong to the same model?");
        assertThat(net.call(X).toFloats()).isEqualTo(before);
    }

    @Test
    void unsetParametersCannotBeUsed() {
        var linear = new Linear(2, 2, false, Init.UNSET, Rng.of(0));
        assertThatThrownBy(() -> linear.call(Ops.zeros(1, 2)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("left it without values");
    }

    @Test
    void interceptorsWrapInTheOrderAttached() {
        var net = new Net();
        var seen = new ArrayList<String>();
        Layer layer = net.layers.get(0);
        Attachment inner = layer.intercept(logging("inner", seen));
        Attachment outer = layer.intercept(logging("outer", seen));
        net.call(X);
        assertThat(seen)
                .containsExactly(
                        "outer in layers.0", "inner in layers.0", "inner out", "outer out");
        inner.close();
        inner.close();
        seen.clear();
        net.call(X);
        assertThat(seen).containsExactly("outer in layers.0", "outer out");
        outer.close();
        assertThat(layer.isIntercepted()).isFalse();
    }

    private static Interceptor logging(String name, List<String> log) {
        return (layer, x, context, inner) -> {
            log.add(name + " in " + layer.path());
            Tensor y = inner.apply(x);
            log.add(name + " out");
            return y;
        };
    }

    @Test
    void anAdapterAddsItsOwnWeightsBesideALayer() {
        var net = new Net();
        float[] before = net.call(X).toFloats();
        net.freeze();
        var down = new Linear(3, 1, false, Init.constant(0.5), Rng.of(2));
        Linear target = net.layers.get(1);
        Attachment weights = target.attach("lora_A", down);
        Attachment call =
                target.intercept(
                        (layer, x, context, inner) -> inner.apply(x).add(down.call(x, context)));
        assertThat(net.trainable())
                .extracting(Parameter::name)
                .containsExactly("layers.1.lora_A.weight");
        assertThat(net.stateDict()).doesNotContainKey("layers.1.lora_A.weight");
        assertThat(net.call(X).toFloats()).isNotEqualTo(before);
        assertThat(net.toString()).contains("+ lora_A  Linear(3 → 1)");
        var grads = net.call(X).square().sum().backward();
        assertThat(grads.size()).isEqualTo(1);
        call.close();
        weights.close();
        assertThat(net.call(X).toFloats()).isEqualTo(before);
        assertThat(net.trainable()).isEmpty();
    }

    @Test
    void tapsReadAndReplace() {
        var net = new Net();
        float[] plain = net.call(X).toFloats();
        try (var capture = Taps.capture(net, "layers.*")) {
            Ops.scope(() -> {
                net.call(X);
            });
            assertThat(capture.all().keySet()).containsExactly("layers.0", "layers.1");
            assertThat(capture.get("layers.0").toFloats())
                    .isEqualTo(net.layers.get(0).call(X).toFloats());
        }
        try (var _ = Taps.replace(net, "layers.1", (y, context) -> y.mul(2))) {
            float[] doubled = net.call(X).toFloats();
            for (int i = 0; i < plain.length; i++) {
                assertThat(doubled[i]).isCloseTo(2 * plain[i], within(1e-5f));
            }
        }
        try (var _ = Taps.replaceInput(net, "layers.0", (x, context) -> x.mul(0))) {
            assertThat(net.call(X).toFloats()).isEqualTo(net.call(X.mul(0)).toFloats());
        }
        assertThat(net.call(X).toFloats()).isEqualTo(plain);
        assertThatThrownBy(() -> Taps.capture(net, "layer.*"))
                .hasMessageContaining("pattern: matches none of");
    }

    @Test
    void contextReachesInterceptors() {
        var net = new Net();
        var key = new Context.Key<Double>("factor");
        try (var _ = Taps.replace(net, "layers.0", (y, context) -> y.mul(context.get(key)))) {
            assertThat(net.call(X, Context.EMPTY.with(key, 1.0)).toFloats())
                    .isNotEqualTo(net.call(X, Context.EMPTY.with(key, 3.0)).toFloats());
            assertThatThrownBy(() -> net.call(X))
                    .hasMessageContaining("context: no entry 'factor'");
        }
    }

    @Test
    void generatorsBranchAndForkAlike() {
        Context context = Context.of(Rng.of(4));
        Context first = context.branch();
        Context second = context.branch();
        assertThat(first.rng().seed()).isNotEqualTo(second.rng().seed());
        assertThat(first.fork(1).rng().seed()).isEqualTo(first.fork(1).rng().seed());
        assertThat(first.fork(1).rng().seed()).isNotEqualTo(first.fork(2).rng().seed());
        assertThat(Context.of(Rng.of(4)).branch().rng().seed()).isEqualTo(first.rng().seed());
        assertThatThrownBy(Context.EMPTY::rng)
                .hasMessageContaining("a layer needs random numbers and there is no generator");
    }

    @Test
    void dropoutDropsInTrainingModeOnly() {
        var dropout = new Dropout(0.5);
        Tensor ones = Ops.ones(1000);
        assertThat(dropout.call(ones)).isSameAs(ones);
        dropout.training(true);
        double sum = 0;
        for (float v : dropout.call(ones, Context.of(Rng.of(3))).toFloats()) {
            assertThat(v).isIn(0f, 2f);
            sum += v;
        }
        assertThat(sum).isBetween(850.0, 1150.0);
        assertThatThrownBy(() -> new Dropout(1)).hasMessageContaining("got 1.0");
    }

    @Test
    void convertingKeepsTheNames() {
        var net = new Net();
        net.to(DType.BF16);
        assertThat(net.trainable()).isEmpty();
        assertThat(net.toString()).contains("bf16 frozen");
        assertThatThrownBy(net::unfreeze).hasMessageContaining("cannot train in a storage type");
        net.to(DType.F32);
        net.unfreeze();
        assertThat(net.trainableCount()).isEqualTo(24);
    }

    @Test
    void theTreeReads() {
        assertThat(new Net().toString())
                .isEqualTo(
                        """
                        Net  24 parameters, trainable
                          layers  × 2
                            0 … 1  Linear(3 → 3, bias) f32
                          head  Linear(3 → 3)\
                        """);
    }
}
