package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdapterSetTest {
    private static final PathPattern QUERIES = PathPattern.of("**.{q,v}_proj");
    private static final PathPattern ALL =
            PathPattern.of("model.layers.**.{q,k,v,o,gate,up,down}_proj");

    /// Attaches a LoRA whose factors are all non-zero.
    private static Adapter lora(CausalLM model, PathPattern targets, String name, long seed) {
        Adapter adapter = Lora.rank(2).seed(seed).attach(model, targets, name);
        fill(adapter, seed);
        return adapter;
    }

    private static void fill(Adapter adapter, long seed) {
        Rng rng = Rng.of(seed);
        adapter.parameters()
                .values()
                .forEach(p -> p.assign(Ops.randn(rng, p.shape().toArray()).mul(0.3)));
    }

    private static float[] logits(CausalLM model, Context context) {
        return Ops.noGrad(
                () -> model.logits(model.hidden(TinyModel.ids(3), null, context)).toFloats());
    }

    private static void assertClose(float[] actual, float[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).isCloseTo(expected[i], offset(tolerance));
        }
    }

    @Test
    void switchesBetweenAdapters() {
        var model = TinyModel.create();
        float[] base = logits(model, Context.EMPTY);
        var set = new AdapterSet(model);
        set.add(lora(model, QUERIES, "one", 1));
        set.add(lora(model, ALL, "two", 2));
        assertThat(set.names()).containsExactly("one", "two");
        assertThat(logits(model, Context.EMPTY)).isEqualTo(base);

        set.use("one");
        float[] one = logits(model, Context.EMPTY);
        set.use("two");
        float[] two = logits(model, Context.EMPTY);
        assertThat(one).isNotEqualTo(base).isNotEqualTo(two);
        set.useNone();
        assertThat(logits(model, Context.EMPTY)).isEqualTo(base);

        var alone = TinyModel.create();
        lora(alone, ALL, "two", 2);
        assertThat(two).isEqualTo(logits(alone, Context.EMPTY));
    }

    @Test
    void combinesAdaptersByWeights() {
        var model = TinyModel.create();
        var set = new AdapterSet(model);
        Adapter one = set.add(lora(model, ALL, "one", 1));
        Adapter two = set.add(lora(model, ALL, "two", 2));
        set.use(Map.of("one", 0.7, "two", -0.2));
        float[] together = logits(model, Context.EMPTY);

        one.merge();
        two.merge();
        assertClose(logits(model, Context.EMPTY), together, 1e-4);
        two.unmerge();
        one.unmerge();
        assertThat(logits(model, Context.EMPTY)).isEqualTo(together);
    }

    @Test
    void givesEachRowItsOwnAdapter() {
        var model = TinyModel.create();
        var set = new AdapterSet(model);
        set.add(lora(model, QUERIES, "one", 1));
        set.add(lora(model, ALL, "two", 2));
        float[][] alone = new float[3][];
        alone[0] = logits(model, Context.EMPTY);
        set.use("one");
        alone[1] = logits(model, Context.EMPTY);
        set.use("two");
        alone[2] = logits(model, Context.EMPTY);

        String[] names = {"", "one", "two"};
        int rows = TinyModel.ids(3).dim(0);
        for (int first = 0; first < 3; first++) {
            for (int second = 0; second < 3; second++) {
                float[] mixed = logits(model, set.rows(names[first], names[second]));
                int half = mixed.length / rows;
                assertClose(
                        Arrays.copyOfRange(mixed, 0, half),
                        Arrays.copyOfRange(alone[first], 0, half),
                        1e-5);
                assertClose(
                        Arrays.copyOfRange(mixed, half, mixed.length),
                        Arrays.copyOfRange(alone[second], half, mixed.length),
                        1e-5);
            }
        }
    }

    @Test
    void trainsOnMixedRows() {
        var model = TinyModel.create();
        var set = new AdapterSet(model);
        Adapter one = set.add(lora(model, ALL, "one", 1));
        Adapter two = set.add(lora(model, ALL, "two", 2));
        one.parameters().values().forEach(p -> p.trainable(true));
        Tensor hidden = model.hidden(TinyModel.ids(3), null, set.rows("one", "two"));
        var grads = hidden.mul(hidden).sum().backward();
        for (Adapter adapter : new Adapter[] {one, two}) {
            adapter.parameters()
                    .forEach((name, p) ->
                            assertThat(grads.get(p).abs().max().item()).as(name).isPositive());
        }
    }

    @Test
    void exchangesAnAdapterInPlace(@TempDir Path folder) {
        var model = TinyModel.create();
        float[] base = logits(model, Context.EMPTY);
        Adapter second = lora(model, QUERIES, "second", 2);
        second.save(folder);
        float[] wanted = logits(model, Context.EMPTY);
        second.detach();
        assertThat(logits(model, Context.EMPTY)).isEqualTo(base);

        var set = new AdapterSet(model);
        Adapter adapter = set.add(lora(model, ALL, "voice", 1));
        set.use("voice");
        adapter.replace(folder);
        assertThat(logits(model, Context.EMPTY)).isEqualTo(wanted);
        assertThat(adapter.targets()).hasSize(4);
        assertThatThrownBy(() -> adapter.replace(folder.resolve("nowhere")))
                .isInstanceOf(PanagradException.class);
        assertThat(logits(model, Context.EMPTY)).isEqualTo(wanted);
        set.remove("voice");
        assertThat(logits(model, Context.EMPTY)).isEqualTo(base);
        assertThat(set.names()).isEmpty();
    }

    @Test
    void saysWhatIsWrong() {
        var model = TinyModel.create();
        var set = new AdapterSet(model);
        Adapter one = set.add(lora(model, ALL, "one", 1));
        assertThatThrownBy(() -> set.add(one)).hasMessageContaining("taken");
        assertThatThrownBy(() -> set.use("two"))
                .hasMessageContaining("no such adapter")
                .hasMessageContaining("one");
        assertThatThrownBy(() -> set.rows("two")).hasMessageContaining("no such adapter");
        assertThatThrownBy(() -> logits(model, set.rows("one")))
                .hasMessageContaining("name an adapter for every row");
        assertThatThrownBy(() -> Lora.rank(1).attach(model, ALL, "a.b"))
                .hasMessageContaining("not a name");
        one.merge();
        assertThatThrownBy(() -> logits(model, set.rows("one", "")))
                .hasMessageContaining("unmerge");
    }
}
