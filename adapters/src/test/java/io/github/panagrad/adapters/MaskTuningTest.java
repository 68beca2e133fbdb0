package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.Taps;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Step;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MaskTuningTest {
    private static final String ATTENTION = "**.self_attn.{q,k,v,o}_proj";

    /// A model of one linear layer.
    private static final class One extends Module {
        private final Linear proj;

        One(Linear proj) {
            this.proj = register("proj", proj);
        }
    }

    /// Trains so far that some weights are off, and not all.
    private static Adapter trained(CausalLM model) {
        Adapter adapter = new MaskTuning(0.01, 0.005, 0).attach(model, ATTENTION);
        var optimizer = AdamW.of(model.trainable()).lr(2e-3).weightDecay(0);
        for (int step = 0; step < 4; step++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        assertThat(MaskTuning.shareOff(adapter)).isBetween(0.05, 0.95);
        return adapter;
    }

    @Test
    void beginsAsTheBaseBitForBit() {
        CausalLM model = TinyModel.create();
        float[] before = TinyModel.logits(model).toFloats();
        Adapter adapter = MaskTuning.standard().attach(model, ATTENTION);
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(before);
        assertThat(MaskTuning.shareOff(adapter)).isZero();
    }

    @Test
    void theGradientOfAScoreIsThatOfItsWeightTimesTheWeight() {
        CausalLM plain = TinyModel.create();
        Grads weights = TinyModel.loss(plain).backward();
        CausalLM masked = TinyModel.create();
        Adapter adapter = MaskTuning.standard().attach(masked, ATTENTION);
        Grads scores = TinyModel.loss(masked).backward();
        int seen = 0;
        for (var entry : adapter.parameters().entrySet()) {
            String layer = entry.getKey().substring(0, entry.getKey().indexOf(".adapter."));
            Parameter weight = plain.parameters().get(layer + ".weight");
            assertThat(scores.get(entry.getValue()).toFloats())
                    .containsExactly(weights.get(weight).mul(weight).toFloats(), within(1e-6f));
            seen++;
        }
        assertThat(seen).isEqualTo(8);
    }

    @Test
    void theGradientIsThatOfTheMaskedWeightWhereSomeAreOff() {
        var layer = new Linear(3, 2, false, Init.ones(), Rng.of(0));
        layer.weight().assign(Ops.tensor(new float[] {1, 2, 0, -4, 5, 6}, 2, 3));
        Adapter adapter = new MaskTuning(1, 0, 0).attach(new One(layer), "proj");
        Parameter scores = adapter.parameters().values().iterator().next();
        scores.assign(Ops.tensor(new float[] {1, -1, 1, 0, 1, 1}, 2, 3));
        Tensor x = Ops.tensor(new float[] {1, 10, 100}, 1, 3);
        Tensor y = layer.call(x);
        assertThat(y.toFloats()).containsExactly(1, 650);
        Tensor dy = Ops.tensor(new float[] {3, 7}, 1, 2);
        Grads grads = y.mul(dy).sum().backward();
        // dy·x, times the weight: also where the mask is 0, and none where the weight is.
        assertThat(grads.get(scores).toFloats())
                .containsExactly(3 * 1, 3 * 20, 0, 7 * -4, 7 * 50, 7 * 600);
    }

    @Test
    void mergedIsMaskedBitForBitAndComesOffAgain() {
        CausalLM model = TinyModel.create();
        float[] base = TinyModel.logits(model).toFloats();
        Adapter adapter = trained(model);
        float[] masked = TinyModel.logits(model).toFloats();
        assertThat(masked).isNotEqualTo(base);
        assertThat(adapter.merge(() -> TinyModel.logits(model))).isZero();
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(masked);
        adapter.unmerge();
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(masked);
        adapter.detach();
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(base);
    }

    @Test
    void filesHoldABitAWeight(@TempDir Path folder) throws Exception {
        var model = new One(new Linear(512, 256, Rng.of(1)));
        Adapter adapter = MaskTuning.standard().attach(model, "proj");
        Parameter scores = adapter.parameters().values().iterator().next();
        scores.assign(Ops.randn(Rng.of(2), 256, 512));
        adapter.save(folder);
        long bytes = Files.size(folder.resolve("adapter_model.safetensors"));
        long floats = 4L * 256 * 512;
        assertThat(bytes).isGreaterThanOrEqualTo(floats / 32).isLessThan(floats / 32 + 300);

        Tensor x = Ops.randn(Rng.of(3), 4, 512);
        float[] y = model.proj.call(x).toFloats();
        double share = MaskTuning.shareOff(adapter);
        var other = new One(new Linear(512, 256, Rng.of(1)));
        Adapter loaded = Adapter.load(other, folder);
        assertThat(other.proj.call(x).toFloats()).isEqualTo(y);
        assertThat(MaskTuning.shareOff(loaded)).isEqualTo(share);
    }

    @Test
    void bitsOfAnyNumberOfEntriesComeBack() {
        for (int n : new int[] {1, 7, 8, 9, 65}) {
            Tensor scores = Ops.randn(Rng.of(n), n);
            Tensor back = MaskBits.unpack(MaskBits.pack(scores, 0), scores.shape(), 1, 0);
            assertThat(back.toFloats()).isEqualTo(scores.gt(0).to(DType.F32).toFloats());
        }
        assertThatThrownBy(() -> MaskBits.unpack(Ops.zeros(2), Ops.zeros(17).shape(), 1, 0))
                .hasMessageContaining("mask: another number of bits");
    }

    @Test
    void normsOfTheScoresAreAddedToTheLoss() {
        CausalLM model = TinyModel.create();
        Adapter adapter = new MaskTuning(0.5, 0, 0.1).attach(model, "**.q_proj");
        var objective =
                MaskTuning.<Integer>regularized(
                        (batch, step) -> LossTerm.of(TinyModel.loss(model), 1), adapter);
        double with = objective.loss(0, new Step(1, 1, 0, Context.EMPTY)).sum().item();
        // Two matrices of 16·16 scores of 0.5: norms of 8 each.
        assertThat(with - TinyModel.loss(model).item()).isCloseTo(0.1 * 16, within(1e-4));
    }

    @Test
    void whatCannotBeIsNamed() {
        CausalLM model = TinyModel.create();
        assertThatThrownBy(() -> new MaskTuning(0.005, 0.005, 0))
                .hasMessageContaining("mask tuning: out of range");
        Adapter lora = Lora.rank(2).attach(model, "**.q_proj");
        assertThatThrownBy(() -> MaskTuning.shareOff(lora)).hasMessageContaining("has no masks");
        MaskTuning.standard().attach(model, PathPattern.of("**.q_proj"), "mask");
        assertThatThrownBy(() -> TinyModel.loss(model))
                .hasMessageContaining("something was attached to the layer before")
                .hasMessageContaining("attach masks first");
    }

    @Test
    void otherAdaptersAndTapsGoAroundIt() {
        CausalLM model = TinyModel.create();
        MaskTuning.standard().attach(model, "**.q_proj");
        float[] masked = TinyModel.logits(model).toFloats();
        Lora.rank(2).attach(model, PathPattern.of("**.q_proj"), "lora");
        try (var tap = Taps.capture(model, "**.q_proj")) {
            assertThat(TinyModel.logits(model).toFloats()).isEqualTo(masked);
            assertThat(tap.all()).hasSize(2);
        }
    }
}
