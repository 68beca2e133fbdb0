package io.github.panagrad.nn.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.optim.AdamW;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// No op of training or generating may run on the slow reference kernels.
class KernelsTest {
    private static void assertFast() {
        assertThat(Backends.explain().lines().filter(line -> line.startsWith("cpu ")))
                .isNotEmpty()
                .noneMatch(line -> line.contains("reference"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "mistral", "qwen2", "qwen3"})
    void decodersTrainAndGenerateOnVectorKernels(String family) {
        var model =
                CausalLM.create(
                        TinyModels.config(TinyModels.decoder(family).with("sliding_window", 4)), 5);
        var examples =
                List.of(
                        Example.of(TinyModels.ids(1, 1, 9).toInts()),
                        Example.of(TinyModels.ids(2, 1, 6).toInts()));
        Backends.clearLog();
        Trainer.of(model, AdamW.of(model.trainable()), Objectives.nextToken(model))
                .maxGradNorm(1)
                .accumulation(2)
                .epochs(2)
                .run(BatchSource.of(Batches.of(examples).size(1).packed(16)));
        Evaluator.of(model).run(Batches.of(examples).size(2));
        model.generate(new int[] {1, 2}, Sampling.greedy().maxTokens(4), id -> {});
        assertFast();
    }

    @Test
    void encodersTrainOnVectorKernels() {
        var encoder = BertModel.create(TinyModels.config(TinyModels.encoder()), 5);
        var model = BertClassifier.ofRows(encoder, List.of("a", "b"), Pooling.MEAN, 3);
        var batch =
                new Objectives.Labelled(
                        BertInput.of(List.of(new int[] {1, 2, 3}, new int[] {4, 5}), 0),
                        Ops.indices(new int[] {0, 1}, 2));
        Backends.clearLog();
        Trainer.of(model, AdamW.of(model.trainable()), Objectives.classification(model))
                .maxGradNorm(1)
                .run(epoch -> List.of(batch));
        assertFast();
    }
}
