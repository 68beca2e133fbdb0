package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.Preference;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Dpo;
import io.github.panagrad.nn.objective.Reference;
import io.github.panagrad.nn.objective.ScoreCache;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Step;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Preferences learnt by an adapter, whose absence is the reference.
class AdapterOffTeacherTest {
    private static final Step STEP = new Step(1, 0, 0, Context.of(Rng.of(1)));

    private static List<Example> pairs() {
        int[] ids = TinyModel.ids(4).toInts();
        var examples = new ArrayList<Example>();
        for (int i = 0; i < 3; i++) {
            int[] labels = {Example.IGNORED, Example.IGNORED, ids[i], ids[i + 4]};
            int[] chosen = {1, i, ids[i], ids[i + 4]};
            examples.add(new Example(chosen, labels, Preference.chosen(i)));
            int[] others = {Example.IGNORED, Example.IGNORED, ids[i + 8], ids[i + 12]};
            int[] rejected = {1, i, ids[i + 8], ids[i + 12]};
            examples.add(new Example(rejected, others, Preference.rejected(i)));
        }
        return examples;
    }

    @Test
    void theAdapterSwitchedOffIsTheModelBeforeBitForBit() {
        var model = TinyModel.create();
        Teacher<CausalLM> before = Teacher.of(model.twin());
        Adapter adapter = Lora.rank(3).alpha(6).attach(model, "**.{q,v}_proj");
        Teacher<CausalLM> off = Teacher.adapterOff(model, adapter::enabled);
        Teacher<CausalLM> copy = Teacher.frozenCopy(model);
        Batch batch = Batches.of(pairs()).grouped(2).size(3).cursor().next();
        double[] expected = Reference.of(before).logProbs(batch, STEP);
        Map<String, Double> last = new HashMap<>();
        List<Double> losses = new ArrayList<>();
        Trainer.of(
                        model,
                        AdamW.of(model.trainable()).lr(0.02),
                        Dpo.of(model, Reference.of(off).cached(new ScoreCache())).beta(0.5))
                .steps(8)
                .onStep(m -> {
                    losses.add(m.loss());
                    last.putAll(m.report());
                })
                .run(BatchSource.of(Batches.of(pairs()).grouped(2).size(3)));
        assertThat(losses.getFirst()).isCloseTo(Math.log(2), offset(1e-5));
        assertThat(losses.getLast()).isLessThan(0.5 * Math.log(2));
        assertThat(last).containsEntry("accuracy", 1.0);
        assertThat(adapter.isEnabled()).isTrue();

        assertThat(Reference.of(off).logProbs(batch, STEP)).containsExactly(expected);
        assertThat(Reference.of(copy).logProbs(batch, STEP)).containsExactly(expected);
        assertThat(Reference.of(Teacher.of(model)).logProbs(batch, STEP)).isNotEqualTo(expected);
        for (Parameter p : adapter.parameters().values()) {
            assertThat(p.isTrainable()).isTrue();
        }
    }
}
