package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.objective.LayerAttentivePool.Mode;
import io.github.panagrad.nn.objective.LayerAttentivePool.Options;
import io.github.panagrad.nn.objective.LayerPooledClassifier.Settings;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerPooledClassifierTest {
    private static final List<String> LABELS = List.of("a", "b", "c");
    private static final Settings BARE =
            Settings.DEFAULT.pool(new Options(Mode.STATIC, true, false));
    private static final Settings INPUT =
            Settings.DEFAULT.pool(new Options(Mode.INPUT, true, true));

    private static LayerPooledClassifier model(Settings settings) {
        return new LayerPooledClassifier(Encoders.encoder(), LABELS, settings, 9);
    }

    private static void openGate(LayerPooledClassifier model) {
        Parameter gate = model.parameters().get("pool.gate");
        gate.assign(Ops.ones(1));
    }

    @Test
    void startsAsThePlainClassifier() {
        var plain = BertClassifier.ofRows(Encoders.encoder(), LABELS, Pooling.MEAN, 9);
        BertInput input = Encoders.rows(2, 4);
        float[] expected = plain.logits(input).toFloats();

        var pooled = model(BARE);
        assertThat(pooled.logits(input).toFloats()).isEqualTo(expected);
        openGate(pooled);
        assertThat(pooled.logits(input).toFloats()).isNotEqualTo(expected);
    }

    @Test
    void everyLayerAndEveryPartOfTheHeadLearns() {
        for (Settings settings : List.of(Settings.DEFAULT, INPUT)) {
            var model = model(settings);
            var objective =
                    ContrastiveClassifier.attach(
                            model, 8, SupConOptions.DEFAULT, Ramp.constant(0.3), 2);
            Labelled batch = Encoders.batch(0, 0, 1, 1, 2);
            // Behind a gate of 0, the scores have no gradient before the second step.
            AdamW.of(model.trainable())
                    .step(objective.loss(batch, Encoders.step(1, 10)).sum().backward());
            Grads grads = objective.loss(batch, Encoders.step(2, 10)).sum().backward();
            Encoders.assertAllLearn(model, grads);
        }
    }

    @Test
    void theGateOpensOnTheFirstStep() {
        var model = model(Settings.DEFAULT);
        Labelled batch = Encoders.batch(0, 1, 2);
        var objective =
                ContrastiveClassifier.attach(model, 8, SupConOptions.DEFAULT, Ramp.constant(0), 2);
        Grads grads = objective.loss(batch, Encoders.step(1, 10)).sum().backward();

        assertThat(grads.get(model.parameters().get("pool.gate")).norm().item()).isPositive();
    }

    @Test
    void layersAreReachedThroughTheirStates() {
        // Only the first layer's state is read, and the last layer's is not in the sum.
        var settings =
                new Settings(
                        "encoder.layer.0", Pooling.MEAN, new Options(Mode.STATIC, false, false));
        var model = model(settings);
        Grads grads = model.logits(Encoders.rows(2, 3)).square().sum().backward();
        Map<String, Parameter> parameters = model.parameters();

        assertThat(
                        grads.get(parameters.get("bert.encoder.layer.0.output.dense.weight"))
                                .norm()
                                .item())
                .isPositive();
        assertThat(grads.find(parameters.get("bert.encoder.layer.1.output.dense.weight")))
                .isEmpty();
    }

    @Test
    void hasTheGradientOfItsValue() {
        var model = model(INPUT);
        openGate(model);
        model.to(DType.F64);
        BertInput input = Encoders.rows(2, 3);
        Encoders.assertGradients(model, () -> model.logits(input).square().sum());
    }

    @Test
    void keepsPooledStatesOnly() {
        var model = model(Settings.DEFAULT);
        int rows = 16;
        int length = 32;
        int[][] ids = new int[rows][length];
        Arrays.stream(ids).forEach(row -> Arrays.fill(row, 3));
        BertInput input = BertInput.of(List.of(ids), 0);
        long states = 2L * rows * length * 16 * Float.BYTES;
        Ops.noGrad(() -> {
            long before = inUse();
            Tensor features = Ops.scope(() -> model.features(input, Context.EMPTY));
            long kept = inUse() - before;
            assertThat(features.size()).isEqualTo(rows * 16L);
            assertThat(kept).isLessThan(states / 4);
            return null;
        });
    }

    private static long inUse() {
        return Pool.floats().freshBytes() - Pool.floats().cachedBytes();
    }

    @Test
    void loadsWhatItSaves(@TempDir Path folder) {
        var model = model(INPUT);
        openGate(model);
        model.save(folder);
        var loaded = LayerPooledClassifier.load(folder);
        BertInput input = Encoders.rows(3, 4);

        assertThat(loaded.labels()).isEqualTo(LABELS);
        assertThat(loaded.logits(input).toFloats()).isEqualTo(model.logits(input).toFloats());
        assertThat(loaded.layerWeights(input).toFloats())
                .isEqualTo(model.layerWeights(input).toFloats());
        assertThat(BertModel.load(folder).hasPooler()).isTrue();
        assertThat(loaded.stateDict().keySet())
                .isEqualTo(new LinkedHashMap<>(model.stateDict()).keySet());
    }

    @Test
    void statesOfADecoderCanBeReadToo() {
        var decoder = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        BertInput input = Encoders.rows(2, 3);
        var pool = new LayerAttentivePool(2, 16, Options.DEFAULT, Rng.of(1));
        pool.parameters().get("gate").assign(Ops.ones(1));
        try (var states = new LayerStates(decoder, "model.layers.*", Pooling.LAST)) {
            var result =
                    states.run(
                            input.mask(),
                            Context.EMPTY,
                            context -> decoder.hidden(input.ids(), null, context));
            Tensor last = Pooling.LAST.pool(result.hidden(), input.mask());
            Encoders.assertAllLearn(pool, pool.pool(last, result.states()).pow(3).sum().backward());
            assertThat(result.states()).hasSize(2);
        }
        assertThat(decoder.layers(PathPattern.of("model.layers.*")).values())
                .noneMatch(Layer::isIntercepted);
    }

    @Test
    void refusesRecomputedActivations() {
        var model = model(Settings.DEFAULT);
        BertModel encoder = (BertModel) model.module("bert");
        encoder.checkpointing(true);

        assertThatThrownBy(() -> model.logits(Encoders.rows(2, 3)))
                .hasMessageContaining("checkpointing(false)");
        Ops.noGrad(() -> model.logits(Encoders.rows(2, 3)));
    }

    @Test
    void refusesLayersThatAreNotThere() {
        var settings = new Settings("encoder.layer.7", Pooling.MEAN, Options.DEFAULT);
        assertThatThrownBy(() -> model(settings)).hasMessageContaining("encoder.layer");
    }
}
