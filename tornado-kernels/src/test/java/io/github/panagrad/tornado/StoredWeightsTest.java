package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.op.IndexSelect;
import io.github.panagrad.engine.op.Linear;
import io.github.panagrad.engine.op.MatMul;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Frozen weights in BF16 lie on the device as they are, and are computed with in F32.
class StoredWeightsTest {
    private static final Device DEVICE = OnDevice.DEVICE;
    private static final int VOCABULARY = 200;
    private static final double TOLERANCE = 4e-6;

    private static Tensor stored(int seed, int... dims) {
        return Ops.randn(Rng.of(seed), dims).to(DType.BF16);
    }

    @Test
    void numbersComeBackAsTheyWent() {
        Tensor all = stored(1, 2051);
        Tensor there = all.to(DEVICE);

        assertThat(there.dtype()).isEqualTo(DType.BF16);
        assertThat(there.storage().byteSize()).isEqualTo(2 * 2051);
        assertThat(there.toDoubles()).isEqualTo(all.toDoubles());
        assertThat(there.at(1)).isEqualTo(all.at(1));
        assertThat(there.narrow(0, 3, 7).to(DType.F32).toDoubles())
                .isEqualTo(all.narrow(0, 3, 7).toDoubles());
    }

    @Test
    void productsAgreeWithTheHosts() {
        Tensor weight = stored(2, 70, 90);
        OnDevice.agrees(TOLERANCE, new Linear(), Ops.randn(Rng.of(3), 33, 90), weight);
        OnDevice.agrees(TOLERANCE, new MatMul(), Ops.randn(Rng.of(4), 33, 70), weight);
        OnDevice.agrees(TOLERANCE, new MatMul(), Ops.randn(Rng.of(5), 33, 90), weight.transpose());
        OnDevice.agrees(TOLERANCE, new Linear(), Ops.randn(Rng.of(6), 1, 90), weight);
    }

    @Test
    void rowsOfAnEmbeddingAreThoseOfTheHost() {
        OnDevice.agrees(
                0, new IndexSelect(0), stored(7, 9, 13), Ops.indices(new int[] {8, 0, 8}, 3));
    }

    @Test
    void aHeadAgreesWithTheHosts() {
        Tensor hidden = Ops.randn(Rng.of(8), 20, 16);
        Tensor weight = stored(9, VOCABULARY, 16);
        Tensor targets = Ops.indices(new Random(1).ints(20, 0, VOCABULARY).toArray(), 20);
        Tensor x = hidden.to(DEVICE).requireGrad();
        Tensor y = hidden.requireGrad();
        Tensor there = Losses.linearCrossEntropy(x, weight.to(DEVICE), targets.to(DEVICE));
        Tensor here = Losses.linearCrossEntropy(y, weight, targets);

        assertThat(there.item()).isCloseTo(here.item(), within(1e-5));
        OnDevice.close(
                there.backward().get(x).toDoubles(), here.backward().get(y).toDoubles(), 2e-5);
    }

    @Test
    void loraOnStoredWeightsTakesLessMemoryAndLearnsAsOnTheCpu() {
        CausalLM cpu = model(DType.BF16);
        CausalLM device = model(DType.BF16);
        long before = used();
        device.to(DEVICE);
        long stored = used() - before;
        CausalLM wide = model(DType.F32);
        before = used();
        wide.to(DEVICE);
        long widened = used() - before;

        assertThat((double) stored / widened).isLessThan(0.6);
        assertThat(device.parameters().values().stream().map(Parameter::dtype))
                .contains(DType.BF16);
        List<Double> expected = losses(cpu);
        List<Double> actual = losses(device);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(actual.get(i)).isCloseTo(expected.get(i), within(1e-4 * expected.get(i)));
        }
        assertThat(expected.getLast()).isLessThan(expected.getFirst());
    }

    private static long used() {
        return Backends.of(DEVICE).statistics(DEVICE).orElseThrow().usedBytes();
    }

    private static CausalLM model(DType dtype) {
        JsonObject config =
                JsonObject.of(
                        "model_type", "llama",
                        "vocab_size", (long) VOCABULARY,
                        "hidden_size", 128L,
                        "intermediate_size", 352L,
                        "num_hidden_layers", 2L,
                        "num_attention_heads", 4L,
                        "num_key_value_heads", 2L,
                        "max_position_embeddings", 32L,
                        "rms_norm_eps", 1e-5,
                        "tie_word_embeddings", true);
        CausalLM model = CausalLM.create(ModelConfig.of(config), 1);
        if (dtype != DType.F32) {
            model.to(dtype);
        }
        Lora.rank(2).alpha(4).attach(model, "**.{q,k,v,o,gate,up,down}_proj");
        return model;
    }

    private static List<Double> losses(CausalLM model) {
        var random = new Random(1);
        var examples = new ArrayList<Example>();
        for (int row = 0; row < 2; row++) {
            examples.add(Example.of(random.ints(24, 0, VOCABULARY).toArray()));
        }
        Batch batch = Batches.of(examples).size(2).ordered().iterator().next();
        AdamW optimizer = AdamW.of(model.trainable()).lr(1e-3);
        var losses = new ArrayList<Double>();
        for (int step = 0; step < 5; step++) {
            losses.add(
                    Ops.scope(() -> {
                        Tensor loss = model.loss(batch);
                        optimizer.step(loss.backward(), 1);
                        return loss.item();
                    }));
        }
        return losses;
    }
}
