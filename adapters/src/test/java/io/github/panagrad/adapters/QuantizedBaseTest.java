package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.ExampleReader;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Evaluator;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// LoRA over frozen weights in four bits.
class QuantizedBaseTest {
    private static final int STEPS = 30;

    private static Dataset text(CausalLM model, Path folder, int from, int to) throws Exception {
        String all = Files.readString(Assets.require("datasets/tinyshakespeare/input.txt"));
        Path file = folder.resolve("part-" + from + ".txt");
        Files.writeString(file, all.substring(from, to));
        return ExampleReader.of(model.tokenizer())
                .vocabSize(model.config().vocabSize())
                .context(model.config().maxPositions())
                .seqLen(128)
                .read(file);
    }

    private static double heldOutLoss(DType dtype, Path folder) throws Exception {
        CausalLM model = CausalLM.load(Assets.require("models/stories15m"));
        Dataset training = text(model, folder, 0, 120_000);
        Dataset heldOut = text(model, folder, 200_000, 212_000);
        if (dtype != DType.F32) {
            model.to(dtype);
        }
        Lora.rank(8).seed(3).attach(model, "model.layers.**_proj");
        var optimizer = AdamW.of(model.trainable()).lr(2e-3);
        Trainer.of(model, optimizer, Objectives.nextToken(model))
                .steps(STEPS)
                .maxGradNorm(1)
                .seed(1)
                .run(BatchSource.of(Batches.of(training).size(4).shuffled(5).endless()));
        return Evaluator.of(model).run(Batches.of(heldOut).size(4)).loss();
    }

    @Test
    void learnsAsWellOnFourBitsAsOnF32(@TempDir Path folder) throws Exception {
        double full = heldOutLoss(DType.F32, folder);
        double four = heldOutLoss(DType.NF4, folder);
        assertThat(full).isLessThan(6.1);
        assertThat(four).isCloseTo(full, offset(0.1));
    }

    /// Four bits a weight, eight for the scale of a block, and one F32 for the scales of a row.
    @Test
    void blocksTakeHardlyMoreThanFourBitsAWeight() {
        CausalLM model = CausalLM.load(Assets.require("models/stories15m"));
        model.to(DType.NF4);
        long bytes = 0;
        long elements = 0;
        for (ParamSelection.Entry entry : model.selection().blocks(b -> true)) {
            bytes += entry.parameter().byteSize();
            elements += entry.parameter().size();
        }
        assertThat(elements).isEqualTo(5_975_424);
        assertThat(bytes / (4.0 * elements)).isLessThanOrEqualTo(0.135);
    }

    /// Widened on the way or beforehand, the weights are the same ones.
    @Test
    void gradientsAreThoseOverTheWidenedWeights() {
        List<Map<String, float[]>> gradients = new ArrayList<>();
        for (boolean widened : new boolean[] {false, true}) {
            CausalLM model = TinyModel.wide();
            model.to(DType.NF4);
            if (widened) {
                model.to(DType.F32);
            }
            Adapter adapter = Lora.rank(3).alpha(6).attach(model, MethodCase.LINEAR);
            Rng rng = Rng.of(4);
            adapter.parameters()
                    .values()
                    .forEach(p -> p.assign(Ops.randn(rng, p.shape().toArray()).mul(0.2)));
            assertThat(model.parameters().get("model.layers.0.mlp.up_proj.weight").dtype())
                    .isEqualTo(widened ? DType.F32 : DType.NF4);
            Grads grads = TinyModel.loss(model).backward();
            Map<String, float[]> own = new LinkedHashMap<>();
            adapter.parameters().forEach((path, p) -> own.put(path, grads.get(p).toFloats()));
            gradients.add(own);
        }
        assertThat(gradients.getFirst()).hasSize(28);
        gradients
                .getFirst()
                .forEach((path, g) ->
                        assertThat(g)
                                .as(path)
                                .containsExactly(gradients.getLast().get(path), within(1e-5f)));
    }

    @Test
    void takesLessThanAFifthOfTheMemory() {
        CausalLM model = CausalLM.load(Assets.require("models/stories15m"));
        model.to(DType.NF4);
        Lora.rank(8).attach(model, "model.layers.**_proj");
        long bytes = 0;
        long elements = 0;
        for (var module : model.modules().values()) {
            if (module instanceof Linear linear && linear.weight().dtype() == DType.NF4) {
                Parameter weight = linear.weight();
                bytes += weight.byteSize();
                elements += weight.size();
            }
        }
        assertThat(elements).isGreaterThan(15_000_000);
        assertThat(bytes / (4.0 * elements)).isLessThan(0.2);
    }
}
