package io.github.panagrad.adapters.spectra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.TinyModel;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.DenseDelta;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.drift.Drift;
import io.github.panagrad.nn.drift.Predictions;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ForgettingReportTest {
    private static List<Batch> texts(int seed) {
        int[] ids = TinyModel.ids(seed).toInts();
        var examples = new ArrayList<Example>();
        for (int at = 0; at < ids.length; at += 9) {
            examples.add(Example.of(Arrays.copyOfRange(ids, at, at + 9)));
        }
        var batches = new ArrayList<Batch>();
        Batches.of(examples).size(2).forEach(batches::add);
        return batches;
    }

    /// ‖W‖ is 6 and ‖ΔW‖ 3 in block 0, 8 and 0 in block 1, 2 and 2 outside.
    @Test
    void normsAreTakenBlockByBlock() {
        var model =
                Spectrum.weights(
                        "layers.0.a", Ops.ones(20).mul(0),
                        "layers.0.weight", Ops.ones(18, 2),
                        "layers.1.weight", Ops.ones(32, 2),
                        "norm", Ops.ones(4));
        var delta =
                Delta.of(
                        Map.of(
                                "layers.0.weight", DenseDelta.of(Ops.ones(18, 2).mul(0.5)),
                                "norm", DenseDelta.of(Ops.ones(4))));
        var spectra = Spectra.of(model.selection()).compare(delta, 1, 0.5);
        var report =
                ForgettingReport.of(Map.of(), model.stateDict(), delta, model.selection(), spectra);
        assertThat(report.relativeNorms().keySet()).containsExactly(-1, 0, 1);
        assertThat(report.relativeNorms().get(0)).isCloseTo(0.5, within(1e-6));
        assertThat(report.relativeNorms().get(1)).isZero();
        assertThat(report.relativeNorms().get(-1)).isCloseTo(1, within(1e-6));
        assertThat(report.relativeNorm()).isCloseTo(Math.sqrt(13 / 104.0), within(1e-6));
        assertThatThrownBy(() ->
                        ForgettingReport.of(Map.of(), Map.of(), delta, model.selection(), spectra))
                .hasMessageContaining("layers.0.a");
    }

    @Test
    void aModelHasNotMovedFromItself() {
        CausalLM model = TinyModel.create();
        Drift drift = Predictions.of(model, texts(1)).driftOf(model);
        assertThat(drift.change().value()).isZero();
        assertThat(drift.change().low()).isZero();
        assertThat(drift.change().high()).isZero();
        assertThat(drift.divergence()).isCloseTo(0, within(1e-6));
        assertThat(drift.agreement()).isEqualTo(1);
        assertThat(drift.isClear()).isFalse();
    }

    /// One model whose adapter is switched on and off stands for the base and a merged copy.
    @Test
    void anAdapterOnAndOffIsTwoModels(@TempDir Path folder) {
        CausalLM one = TinyModel.create();
        Adapter adapter = Lora.rank(2).attach(one, "model.layers.**_proj");
        var optimizer = AdamW.of(one.trainable()).lr(0.05);
        for (int step = 0; step < 5; step++) {
            optimizer.step(one.loss(texts(1).getFirst()).backward());
        }
        adapter.save(folder);
        adapter.enabled(false);
        var off = Predictions.of(one, texts(5));
        adapter.enabled(true);
        Drift switched = off.driftOf(one);

        CausalLM tuned = TinyModel.create();
        Adapter.load(tuned, folder).mergeAndDetach();
        Drift apart = Predictions.of(TinyModel.create(), texts(5)).driftOf(tuned);
        assertThat(switched.before()).isEqualTo(apart.before());
        assertThat(switched.after()).isCloseTo(apart.after(), within(1e-5));
        assertThat(switched.divergence()).isCloseTo(apart.divergence(), within(1e-5)).isPositive();
        assertThat(switched.agreement()).isEqualTo(apart.agreement());
    }

    @Test
    void reportsAnAdapterThatHasLearnt() {
        CausalLM model = TinyModel.create();
        var all = model.selection();
        var spectra = Spectra.of(all.blocks(b -> true));
        Map<String, Predictions> before =
                Map.of(
                        "target", Predictions.of(model, texts(1)),
                        "control", Predictions.of(model, texts(5)));
        Adapter adapter = Lora.rank(2).attach(model, "model.layers.**_proj");
        var optimizer = AdamW.of(model.trainable()).lr(0.05);
        var target = texts(1).getFirst();
        for (int step = 0; step < 20; step++) {
            optimizer.step(model.loss(target).backward());
        }
        Delta delta = adapter.delta();
        var report =
                ForgettingReport.of(
                        Map.of(
                                "target", before.get("target").driftOf(model),
                                "control", before.get("control").driftOf(model)),
                        model.stateDict(),
                        delta,
                        all,
                        spectra.compare(delta, 3, 0.6));
        assertThat(report.texts().get("target").change().value()).isNegative();
        assertThat(report.texts().get("control").divergence()).isPositive();
        assertThat(report.relativeNorms().get(0)).isPositive();
        assertThat(report.relativeNorms().get(-1)).isZero();
        assertThat(report.toString()).contains("target: loss").contains("intruders of");
        JsonObject json = JsonObject.parse("report", report.toJson().toString());
        assertThat(json.object("texts").names()).containsExactlyInAnyOrder("target", "control");
        assertThat(json.integer("intruders")).isEqualTo(report.spectra().intruders());
    }
}
