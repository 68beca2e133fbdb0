package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EncoderOnDeviceTest {
    private static final Device DEVICE = new Device(TornadoBackend.NAME, 0);

    private static List<Double> losses(Pooling pooling, Device device) {
        JsonObject config =
                JsonObject.of(
                        "model_type", "bert",
                        "vocab_size", 40L,
                        "hidden_size", 16L,
                        "intermediate_size", 24L,
                        "num_hidden_layers", 2L,
                        "num_attention_heads", 4L,
                        "max_position_embeddings", 32L,
                        "type_vocab_size", 2L,
                        "hidden_act", "gelu",
                        "hidden_dropout_prob", 0.1,
                        "layer_norm_eps", 1e-12,
                        "initializer_range", 0.1);
        var encoder = BertModel.create(ModelConfig.of(config), 5);
        var model = BertClassifier.ofRows(encoder, List.of("a", "b"), pooling, 3);
        model.to(device);
        var batch =
                new Objectives.Labelled(
                        BertInput.of(List.of(new int[] {1, 2, 3}, new int[] {4, 5}), 0),
                        Ops.indices(new int[] {0, 1}, 2));
        var losses = new ArrayList<Double>();
        Trainer.of(model, AdamW.of(model.trainable()).lr(1e-2), Objectives.classification(model))
                .maxGradNorm(1)
                .steps(4)
                .onStep(step -> losses.add(step.loss()))
                .run(epoch -> List.of(batch));
        return losses;
    }

    @ParameterizedTest
    @EnumSource(
            value = Pooling.class,
            names = {"CLS", "LAST", "MEAN"})
    void lossesAreThoseOfTheCpu(Pooling pooling) {
        List<Double> cpu = losses(pooling, Device.CPU);
        Backends.clearLog();
        List<Double> device = losses(pooling, DEVICE);

        assertThat(device).hasSize(4);
        for (int i = 0; i < device.size(); i++) {
            assertThat(device.get(i)).isCloseTo(cpu.get(i), offset(1e-4 * cpu.get(i)));
        }
        assertThat(Backends.explain().lines().filter(line -> line.startsWith("tornado ")))
                .isNotEmpty()
                .noneMatch(line -> line.contains("reference"));
    }
}
