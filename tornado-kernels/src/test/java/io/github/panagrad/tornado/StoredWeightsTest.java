package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Half;
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
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Frozen weights in BF16 and F16 lie on the device as they are, and are computed with in F32.
class StoredWeightsTest {
    /// A test for each type that is kept in halves of ints.
    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    @Retention(RetentionPolicy.RUNTIME)
    private @interface Halves {}

    private static final Device DEVICE = OnDevice.DEVICE;
    private static final int VOCABULARY = 200;
    private static final double TOLERANCE = 4e-6;

    private static Tensor stored(DType dtype, int seed, int... dims) {
        return Ops.randn(Rng.of(seed), dims).to(dtype);
    }

    /// Subnormal numbers, infinities and NaN too.
    @Halves
    void allNumbersAreWidenedExactly(DType dtype) {
        float[] all = new float[1 << 16];
        for (int i = 0; i < all.length; i++) {
            all[i] =
                    dtype == DType.F16
                            ? Float.float16ToFloat((short) i)
                            : Half.bf16ToFloat((short) i);
        }
        Tensor there = Ops.tensor(all, all.length).to(dtype).to(DEVICE);
        Backends.clearLog();
        float[] widened = there.to(DType.F32).toFloats();
        float[] picked =
                there.reshape(256, 256)
                        .indexSelect(0, Ops.arange(256).to(DType.I32).to(DEVICE))
                        .toFloats();
        OnDevice.noneByTheHost();

        assertThat(bits(widened)).isEqualTo(bits(all));
        assertThat(bits(picked)).isEqualTo(bits(all));
    }

    /// NaN is one number here, whatever its payload.
    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToIntBits(values[i]);
        }
        return bits;
    }

    @Halves
    void singleNumbersAreReadAndWritten(DType dtype) {
        Tensor there = stored(dtype, 11, 9).to(DEVICE);
        double[] expected = there.toDoubles();
        there.storage().setDouble(3, -1.5);
        there.storage().setDouble(4, 0.25);
        expected[3] = -1.5;
        expected[4] = 0.25;

        assertThat(there.toDoubles()).isEqualTo(expected);
        assertThat(there.at(3)).isEqualTo(-1.5);
        assertThat(there.at(5)).isEqualTo(expected[5]);
    }

    @Halves
    void numbersComeBackAsTheyWent(DType dtype) {
        Tensor all = stored(dtype, 1, 2051);
        Tensor there = all.to(DEVICE);

        assertThat(there.dtype()).isEqualTo(dtype);
        assertThat(there.storage().byteSize()).isEqualTo(2 * 2051);
        assertThat(there.toDoubles()).isEqualTo(all.toDoubles());
        assertThat(there.at(1)).isEqualTo(all.at(1));
        assertThat(there.narrow(0, 3, 7).to(DType.F32).toDoubles())
                .isEqualTo(all.narrow(0, 3, 7).toDoubles());
    }

    @Halves
    void productsAgreeWithTheHosts(DType dtype) {
        Tensor weight = stored(dtype, 2, 70, 90);
        OnDevice.agrees(TOLERANCE, new Linear(), Ops.randn(Rng.of(3), 33, 90), weight);
        OnDevice.agrees(TOLERANCE, new MatMul(), Ops.randn(Rng.of(4), 33, 70), weight);
        OnDevice.agrees(TOLERANCE, new MatMul(), Ops.randn(Rng.of(5), 33, 90), weight.transpose());
        OnDevice.agrees(TOLERANCE, new Linear(), Ops.randn(Rng.of(6), 1, 90), weight);
    }

    @Halves
    void rowsOfAnEmbeddingAreThoseOfTheHost(DType dtype) {
        OnDevice.agrees(
                0,
                new IndexSelect(0),
                stored(dtype, 7, 9, 13),
                Ops.indices(new int[] {8, 0, 8}, 3));
    }

    @Halves
    void aHeadAgreesWithTheHosts(DType dtype) {
        Tensor hidden = Ops.randn(Rng.of(8), 20, 16);
        Tensor weight = stored(dtype, 9, VOCABULARY, 16);
        Tensor targets = Ops.indices(new Random(1).ints(20, 0, VOCABULARY).toArray(), 20);
        Tensor x = hidden.to(DEVICE).requireGrad();
        Tensor y = hidden.requireGrad();
        Tensor there = Losses.linearCrossEntropy(x, weight.to(DEVICE), targets.to(DEVICE));
        Tensor here = Losses.linearCrossEntropy(y, weight, targets);

        assertThat(there.item()).isCloseTo(here.item(), within(1e-5));
        OnDevice.close(
                there.backward().get(x).toDoubles(), here.backward().get(y).toDoubles(), 2e-5);
    }

    @Halves
    void loraOnStoredWeightsTakesLessMemoryAndLearnsAsOnTheCpu(DType dtype) {
        CausalLM cpu = model(dtype);
        CausalLM device = model(dtype);
        long before = used();
        device.to(DEVICE);
        long stored = used() - before;
        CausalLM wide = model(DType.F32);
        before = used();
        wide.to(DEVICE);
        long widened = used() - before;

        assertThat((double) stored / widened).isLessThan(0.6);
        assertThat(device.parameters().values().stream().map(Parameter::dtype)).contains(dtype);
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
