package io.github.panagrad.adapters.spectra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.PrefixTuning;
import io.github.panagrad.adapters.TinyModel;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SpectraProbeTest {
    private static Trainer<Integer> trainer(CausalLM model) {
        Objective<Integer> objective = (batch, step) -> LossTerm.of(TinyModel.loss(model), 1);
        return Trainer.of(model, AdamW.of(model.trainable()).lr(0.1), objective).steps(7).seed(1);
    }

    private static Spectra spectra(CausalLM model) {
        return Spectra.of(model.selection().blocks(b -> true));
    }

    private static List<float[]> values(Map<String, ? extends Tensor> parameters) {
        return parameters.values().stream().map(Tensor::toFloats).toList();
    }

    @Test
    void countsWhileAnAdapterTrainsAndLeavesTheTraining() {
        var runs = new ArrayList<List<float[]>>();
        for (int probed = 0; probed < 2; probed++) {
            CausalLM model = TinyModel.create();
            Spectra base = spectra(model);
            Adapter adapter =
                    Lora.rank(1).alpha(8).dropout(0.2).attach(model, "model.layers.**_proj");
            Trainer<Integer> trainer = trainer(model);
            var seen = new ArrayList<SpectraProbe.Point>();
            var probe =
                    new SpectraProbe(base, adapter::delta)
                            .looking(4, 0.7, Side.LEFT)
                            .onPoint(seen::add);
            (probed == 0 ? trainer : probe.on(trainer, 3)).run(epoch -> List.of(1));
            runs.add(values(adapter.parameters()));
            if (probed == 0) {
                continue;
            }
            assertThat(probe.points()).isEqualTo(seen);
            assertThat(seen).extracting(SpectraProbe.Point::step).containsExactly(3L, 6L);
            // One step of training lies behind the last look.
            SpectraReport now = base.compare(adapter.delta(), 4, 0.7);
            assertThat(seen.getLast().looked()).isEqualTo(now.looked()).isPositive();
            assertThat(seen.getLast().intruders()).isPositive();
            assertThat(seen.getLast().leastLikeness()).isBetween(0.0, 0.7);
            assertThat(seen.getLast().toJson().integer("intruders"))
                    .isEqualTo(seen.getLast().intruders());
            probe.accept(7);
            assertThat(probe.points().getLast().intruders()).isEqualTo(now.intruders());
            assertThat(probe.points().getLast().meanStableRank()).isEqualTo(now.meanStableRank());
        }
        for (int i = 0; i < runs.getFirst().size(); i++) {
            assertThat(runs.getLast().get(i)).isEqualTo(runs.getFirst().get(i));
        }
    }

    @Test
    void watchesAModelThatIsTrainedItself() {
        CausalLM model = TinyModel.create();
        Map<String, Tensor> before = Delta.snapshot(model);
        var probe =
                new SpectraProbe(spectra(model), () -> Delta.difference(before, model.stateDict()));
        probe.accept(0);
        assertThat(probe.points().getFirst().intruders()).isZero();
        assertThat(probe.points().getFirst().meanStableRank()).isZero();
        probe.on(trainer(model), 7).run(epoch -> List.of(1));
        assertThat(probe.points()).hasSize(2);
        assertThat(probe.points().getLast().meanStableRank()).isGreaterThan(1);
    }

    @Test
    void saysBeforeTrainingWhatItCannotDo() {
        CausalLM model = TinyModel.create();
        Spectra base = spectra(model);
        Adapter prefix = PrefixTuning.tokens(2).attach(model);
        Trainer<Integer> trainer = trainer(model);
        assertThatThrownBy(() -> new SpectraProbe(base, prefix::delta).on(trainer, 1))
                .hasMessageContaining("no change of this layer");
        var probe = new SpectraProbe(base, () -> Delta.of(Map.of()));
        assertThatThrownBy(() -> probe.on(trainer, 0)).hasMessageContaining("steps out of range");
        assertThatThrownBy(() -> probe.looking(0, 0.5, Side.LEFT).on(trainer, 1))
                .hasMessageContaining("k >= 1");
    }
}
