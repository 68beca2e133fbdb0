package io.github.panagrad.nn.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Holds training on the CPU's kernels against the same steps in F64 on the reference kernels.
class TenStepsTest {
    private static final int TOKENS = 20;

    private static List<Double> losses(DType dtype) {
        var model = CausalLM.load(Assets.require("models/stories260k"));
        model.to(dtype);
        var values = JsonObject.read(Assets.require("reference/stories260K_reference.json"));
        var examples = new ArrayList<Example>();
        for (Object item : values.list("cases").subList(0, 3)) {
            var ids = (List<?>) ((Map<?, ?>) item).get("tokens");
            examples.add(
                    Example.of(
                            ids.stream()
                                    .limit(TOKENS)
                                    .mapToInt(id -> ((Number) id).intValue())
                                    .toArray()));
        }
        var losses = new ArrayList<Double>();
        Trainer.of(
                        model,
                        AdamW.of(model.trainable()).lr(1e-3).weightDecay(0.1),
                        Objectives.nextToken(model))
                .steps(10)
                .maxGradNorm(1)
                .onStep(m -> losses.add(m.loss()))
                .run(BatchSource.of(Batches.of(examples).size(2).shuffled(1)));
        return losses;
    }

    @Test
    void followTheReferenceInF64() {
        List<Double> fast = losses(DType.F32);
        List<Double> exact = losses(DType.F64);
        assertThat(fast).hasSize(10);
        assertThat(exact.get(9)).isNotEqualTo(exact.get(0));
        for (int i = 0; i < 10; i++) {
            assertThat(fast.get(i))
                    .as("step " + (i + 1))
                    .isCloseTo(exact.get(i), within(1e-4 * exact.get(i)));
        }
    }
}
