package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What LoHa, LoKr and OFT leave out while training, and OFT's bound.
class FactoredDropoutTest {
    /// 16 inputs, 24 outputs.
    private static final String TARGET = "model.layers.0.mlp.up_proj";

    private final CausalLM model = TinyModel.create();
    private final Linear layer = (Linear) model.module(TARGET);
    private final Tensor x = Ops.randn(Rng.of(9), 1, 16);

    /// Attaches a method, with parameters that do something.
    private void attach(AdapterMethod method, double size) {
        Adapter adapter = method.attach(model, TARGET);
        Rng rng = Rng.of(2);
        for (Parameter p : adapter.parameters().values()) {
            p.assign(Ops.randn(rng, p.shape().toArray()).mul(size));
        }
    }

    private double[] base() {
        return Ops.linear(x, layer.weight().detach(), null).toDoubles();
    }

    /// The change of the layer's outputs in a pass.
    private double[] change(boolean training, long seed) {
        model.training(training);
        double[] y = layer.call(x, Context.of(Rng.of(seed))).toDoubles();
        double[] base = base();
        for (int i = 0; i < y.length; i++) {
            y[i] -= base[i];
        }
        return y;
    }

    @Test
    void rowsOfTheChangeAreLeftOutAndTheRestScaled() {
        for (AdapterMethod method :
                List.of(
                        Loha.rank(2).dropout(0.5, 0),
                        Lokr.rank(1).dropout(new DeltaDropout(0.5, 0, true)),
                        Lokr.rank(1).dropout(new DeltaDropout(0.5, 0, false)))) {
            var test = new FactoredDropoutTest();
            test.attach(method, 0.5);
            double[] whole = test.change(false, 1);
            double[] some = test.change(true, 1);
            int kept = 0;
            for (int i = 0; i < 24; i++) {
                kept += Math.abs(some[i]) > 1e-6 ? 1 : 0;
            }
            assertThat(kept).isBetween(4, 20);
            boolean scaled = !(method instanceof Lokr lokr) || lokr.dropout().scaled();
            for (int i = 0; i < 24; i++) {
                if (Math.abs(some[i]) > 1e-6) {
                    assertThat(some[i])
                            .isCloseTo(whole[i] * (scaled ? 24.0 / kept : 1), offset(1e-4));
                }
            }
            assertThat(test.change(true, 1)).isEqualTo(some);
            assertThat(test.change(true, 2)).isNotEqualTo(some);
        }
    }

    @Test
    void wholeChangesAreLeftOutAsOftenAsAsked() {
        attach(Loha.rank(2).dropout(0, 0.3), 0.5);
        double[] whole = change(false, 1);
        int left = 0;
        int passes = 500;
        for (int seed = 0; seed < passes; seed++) {
            double[] change = change(true, seed);
            boolean none = Math.abs(change[0]) < 1e-6;
            left += none ? 1 : 0;
            assertThat(change[0]).isCloseTo(none ? 0 : whole[0], offset(1e-5));
        }
        assertThat((double) left / passes)
                .isCloseTo(0.3, offset(3 * Math.sqrt(0.3 * 0.7 / passes)));
    }

    @Test
    void someBlocksTurnNothing() {
        attach(Oft.blocks(4).dropout(0.5), 0.3);
        Parameter entries = model.trainable().getFirst();
        assertThat(entries.dim(0)).isEqualTo(4);
        // Two of the four blocks, so one of six sums of two blocks' changes.
        double[][] alone = new double[4][];
        Tensor all = entries.detach().copy();
        for (int block = 0; block < 4; block++) {
            double[] values = all.toDoubles();
            for (int i = 0; i < values.length; i++) {
                values[i] = i / 6 == block ? values[i] : 0;
            }
            entries.assign(Ops.tensor(values).reshape(4, 6));
            alone[block] = change(false, 0);
        }
        entries.assign(all);
        int matches = 0;
        double[] seen = change(true, 5);
        for (int a = 0; a < 4; a++) {
            for (int b = a + 1; b < 4; b++) {
                double distance = 0;
                for (int i = 0; i < seen.length; i++) {
                    distance += Math.abs(alone[a][i] + alone[b][i] - seen[i]);
                }
                matches += distance < 1e-4 ? 1 : 0;
            }
        }
        assertThat(matches).isEqualTo(1);
    }

    @Test
    void boundedMatricesGoNoFartherThanTheBound() {
        attach(Oft.blocks(4).bound(0.1), 1);
        Parameter entries = model.trainable().getFirst();
        double[] before = entries.toDoubles();
        double[] bounded = change(false, 0);
        assertThat(entries.toDoubles()).as("asking changes nothing").isEqualTo(before);

        // In training the parameter goes to the bound, 0.1/√4 for each block, in its own direction.
        assertThat(change(true, 0)).isEqualTo(bounded);
        double[] after = entries.toDoubles();
        for (int block = 0; block < 4; block++) {
            double squares = 0;
            for (int i = 6 * block; i < 6 * block + 6; i++) {
                squares += 2 * after[i] * after[i];
                assertThat(after[i] / before[i])
                        .isCloseTo(after[6 * block] / before[6 * block], offset(1e-5));
            }
            assertThat(Math.sqrt(squares)).isCloseTo(0.05, offset(1e-6));
        }
        change(true, 0);
        assertThat(entries.toDoubles()).isEqualTo(after);

        // What is short enough stays.
        entries.assign(Ops.tensor(after).reshape(4, 6).mul(0.5));
        double[] small = entries.toDoubles();
        change(true, 0);
        assertThat(entries.toDoubles()).isEqualTo(small);
    }

    @Test
    void aRecomputedLayerKeepsItsBound() {
        Oft.blocks(4).bound(0.01).attach(model, TARGET);
        model.trainable().getFirst().assign(Ops.randn(Rng.of(1), 4, 6));
        model.checkpointing(true);
        model.training(true);
        Tensor loss = TinyModel.loss(model);
        assertThat(loss.backward().get(model.trainable().getFirst()).norm().item()).isPositive();
    }

    @Test
    void filesKeepTheSettings(@TempDir Path folder) {
        Map<String, AdapterMethod> methods =
                Map.of(
                        "loha", Loha.rank(2).dropout(0.1, 0.2),
                        "lokr", Lokr.rank(2).dropout(new DeltaDropout(0.1, 0.2, true)),
                        "oft", Oft.blocks(4).bound(3e-4).dropout(0.5));
        methods.forEach((name, method) -> {
            var fresh = TinyModel.create();
            method.attach(fresh, TARGET).save(folder.resolve(name));
            Adapter back = Adapter.load(TinyModel.create(), folder.resolve(name));
            assertThat(back.method().config()).isEqualTo(method.config());
        });
        JsonObject oft = JsonObject.read(folder.resolve("oft/adapter_config.json"));
        assertThat(oft.bool("coft", false)).isTrue();
        assertThat(oft.number("eps")).isEqualTo(3e-4);
        assertThat(oft.number("module_dropout")).isEqualTo(0.5);
        JsonObject lokr = JsonObject.read(folder.resolve("lokr/adapter_config.json"));
        assertThat(lokr.bool("rank_dropout_scale", false)).isTrue();
        assertThat(lokr.number("rank_dropout")).isEqualTo(0.1);
    }
}
