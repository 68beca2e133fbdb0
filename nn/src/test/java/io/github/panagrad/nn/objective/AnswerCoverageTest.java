package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.metrics.SampledAnswers;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnswerCoverageTest {
    private final CausalLM model = TinyPreferences.model(5);
    private final Batch batch = TinyPreferences.whole(TinyPreferences.pairs());

    private AnswerCoverage objective(double n) {
        return new AnswerCoverage(model, n, 16);
    }

    @Test
    void withoutKnowledgeItIsTheCrossEntropyOfWholeAnswers() {
        LossTerm term = objective(64).loss(batch, TinyPreferences.step());
        LossTerm plain = DirectCoverage.of(model, 1).loss(batch, TinyPreferences.step());
        assertThat(term.sum().item()).isCloseTo(plain.sum().item(), offset(1e-9));
        assertThat(term.count()).isEqualTo(plain.count()).isEqualTo(16);
        assertThat(term.report()).containsEntry("coverage_weight", 1.0);
    }

    @Test
    void weighsExamplesByWhatWasSampled() {
        var objective = objective(8);
        objective.know(3, 0.1);
        objective.know(4, 0.5);
        objective.know(5, 1);
        LossTerm term = objective.loss(batch, TinyPreferences.step());
        double[] logs =
                Answers.of(batch).sequences(model, Context.EMPTY, Reduction.SUM).toDoubles();
        double expected = 0;
        for (int i = 0; i < logs.length; i++) {
            double factor = i == 3 ? 0.671845 : i == 4 ? 0.0313725 : i == 5 ? 0 : 1;
            expected -= factor * logs[i];
        }
        assertThat(term.sum().item()).isCloseTo(expected, offset(1e-4));
        assertThat(term.report().get("coverage_weight"))
                .isCloseTo((13 + 0.671845 + 0.0313725) / 16, offset(1e-6));
        var grads = term.sum().backward();
        for (Parameter p : model.trainable()) {
            assertThat(grads.get(p).norm().item()).isFinite().isGreaterThan(0);
        }
        int[] right = new int[16];
        right[2] = 4;
        objective.know(new SampledAnswers(8, right));
        var state = objective.state().get("answer probabilities");
        assertThat(state).isNotNull();
        assertThat(state.at(2)).isEqualTo(0.5);
        assertThat(state.at(5)).isZero();
    }

    @Test
    void samplesOnceWhenAnEpochHasPassed() {
        var asked = new ArrayList<Integer>();
        int[] right = new int[16];
        right[3] = 2;
        var objective =
                objective(8)
                        .sampling(epoch -> {
                            asked.add(epoch);
                            assertThat(model.isTraining()).isFalse();
                            return new SampledAnswers(20, right);
                        });
        model.training(true);
        LossTerm first = objective.loss(batch, TinyPreferences.step(1, 0));
        assertThat(asked).isEmpty();
        LossTerm second = objective.loss(batch, TinyPreferences.step(2, 1));
        objective.loss(batch, TinyPreferences.step(3, 1));
        assertThat(asked).containsExactly(1);
        assertThat(model.isTraining()).isTrue();
        assertThat(first.report()).containsEntry("coverage_weight", 1.0);
        assertThat(second.report().get("coverage_weight"))
                .isCloseTo((15 + 0.671845) / 16, offset(1e-6));
        // Resumed within the epoch, it does not sample again.
        var resumed =
                objective(8)
                        .sampling(epoch -> {
                            asked.add(epoch);
                            return new SampledAnswers(20, new int[16]);
                        });
        resumed.load(objective.state());
        assertThat(resumed.loss(batch, TinyPreferences.step(4, 1)).report())
                .isEqualTo(second.report());
        resumed.loss(batch, TinyPreferences.step(5, 2));
        assertThat(asked).containsExactly(1, 2);
    }

    @Test
    void batchesAndPackingDoNotMatter() {
        var objective = objective(8);
        objective.know(3, 0.2);
        objective.know(8, 0.4);
        Batches batches = Batches.of(TinyPreferences.pairs());
        double[] whole = TinyPreferences.gradients(objective, model, batches.size(16));
        assertThat(TinyPreferences.gradients(objective, model, batches.size(2)))
                .containsExactly(whole, offset(1e-9));
        assertThat(TinyPreferences.gradients(objective, model, batches.size(16).packed(32)))
                .containsExactly(whole, offset(1e-9));
    }

    @Test
    void aResumedRunKnowsWhatWasSampled(@TempDir Path folder) {
        var source = BatchSource.of(Batches.of(TinyPreferences.pairs()).size(4));
        var first = objective(16);
        first.know(1, 0.25);
        Trainer.of(model, AdamW.of(model.trainable()), first)
                .steps(2)
                .saveState(folder.resolve("state"), 0)
                .run(source);
        var second = objective(16);
        Trainer.of(model, AdamW.of(model.trainable()), second).resume(folder.resolve("state"));
        var state = second.state().get("answer probabilities");
        assertThat(state).isNotNull();
        assertThat(state.at(1)).isEqualTo(0.25);
        assertThatThrownBy(() -> new AnswerCoverage(model, 2, 3).load(second.state()))
                .hasMessageContaining("3 probabilities");
        assertThatThrownBy(() -> second.load(Map.of())).hasMessageContaining("none");
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> objective(0.5)).hasMessageContaining("at least 1");
        assertThatThrownBy(() -> objective(2).know(16, 0)).hasMessageContaining("below 16");
        assertThatThrownBy(() -> objective(2).know(0, 1.5)).hasMessageContaining("0 to 1");
    }
}
