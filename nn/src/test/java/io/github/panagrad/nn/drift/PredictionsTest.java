package io.github.panagrad.nn.drift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Evaluator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PredictionsTest {
    private static final int LENGTH = 7;

    private static CausalLM model() {
        return CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 3);
    }

    private static List<Batch> batches() {
        var examples = new ArrayList<Example>();
        for (int i = 0; i < 6; i++) {
            examples.add(Example.of(TinyModels.ids(i, 1, LENGTH - i % 2).toInts()));
        }
        var batches = new ArrayList<Batch>();
        Batches.of(examples).size(4).forEach(batches::add);
        return batches;
    }

    private static void nudge(CausalLM model, double by) {
        var rng = Rng.of(9);
        for (Parameter p : model.parameters().values()) {
            Tensor noise = Ops.randn(rng, p.shape().toArray());
            p.assign(p.detach().add(noise.mul(by)));
        }
    }

    @Test
    void nothingMovesWhenNothingIsTrained() {
        CausalLM model = model();
        Drift drift = Predictions.of(model, batches()).driftOf(model);
        assertThat(drift.change().value()).isZero();
        assertThat(drift.change().low()).isZero();
        assertThat(drift.change().high()).isZero();
        assertThat(drift.isClear()).isFalse();
        assertThat(drift.divergence()).isCloseTo(0, within(1e-6));
        assertThat(drift.agreement()).isEqualTo(1);
        assertThat(drift.texts()).isEqualTo(6);
        assertThat(drift.tokens()).isEqualTo(6 * (LENGTH - 1) - 3);
    }

    @Test
    void lossesAreThoseOfTheEvaluator() {
        CausalLM model = model();
        Predictions before = Predictions.of(model, batches());
        double then = Evaluator.of(model).run(batches()).loss();
        nudge(model, 0.1);
        double now = Evaluator.of(model).run(batches()).loss();
        Drift drift = before.driftOf(model);
        assertThat(drift.before()).isCloseTo(then, within(1e-5));
        assertThat(drift.after()).isCloseTo(now, within(1e-5));
        assertThat(drift.change().low()).isLessThanOrEqualTo(drift.change().value());
        assertThat(drift.change().high()).isGreaterThanOrEqualTo(drift.change().value());
    }

    /// Against logits of both models, token by token, in plain arithmetic.
    @Test
    void divergenceAndAgreementAreThoseOfTheLogits() {
        CausalLM model = model();
        CausalLM base = model();
        Predictions before = Predictions.of(model, batches());
        nudge(model, 0.1);
        double divergence = 0;
        int agreed = 0;
        int tokens = 0;
        for (Batch batch : batches()) {
            double[][] p = logProbabilities(base, batch);
            double[][] q = logProbabilities(model, batch);
            int[] targets = batch.targets();
            for (int t = 0; t < targets.length; t++) {
                if (targets[t] != Example.IGNORED) {
                    tokens++;
                    agreed += largest(p[t]) == largest(q[t]) ? 1 : 0;
                    for (int v = 0; v < p[t].length; v++) {
                        divergence += Math.exp(p[t][v]) * (p[t][v] - q[t][v]);
                    }
                }
            }
        }
        Drift drift = before.driftOf(model);
        assertThat(drift.tokens()).isEqualTo(tokens);
        assertThat(drift.divergence()).isCloseTo(divergence / tokens, within(1e-5)).isPositive();
        assertThat(drift.agreement()).isCloseTo(agreed / (double) tokens, within(1e-12));
        assertThat(drift.agreement()).isLessThan(1);
    }

    private static double[][] logProbabilities(CausalLM model, Batch batch) {
        Tensor logits = Ops.noGrad(() -> model.logits(model.hidden(batch)));
        int v = logits.dim(-1);
        double[] all = Ops.noGrad(() -> Ops.logSoftmax(logits, -1)).toDoubles();
        double[][] rows = new double[all.length / v][v];
        for (int i = 0; i < all.length; i++) {
            rows[i / v][i % v] = all[i];
        }
        return rows;
    }

    private static int largest(double[] row) {
        int best = 0;
        for (int i = 1; i < row.length; i++) {
            best = row[i] > row[best] ? i : best;
        }
        return best;
    }

    @Test
    void saysSoInJsonAndText() {
        CausalLM model = model();
        Predictions before = Predictions.of(model, batches());
        nudge(model, 0.3);
        Drift drift = before.driftOf(model);
        assertThat(drift.toString()).contains("KL").contains("agreement").contains("of 6 texts");
        JsonObject json = JsonObject.parse("drift", drift.toJson().toString());
        assertThat(json.number("loss_after")).isCloseTo(drift.after(), within(1e-12));
        assertThat(json.number("agreement")).isEqualTo(drift.agreement());
        assertThat(model.isTraining()).isFalse();
    }

    @Test
    void refusesTextsWithoutPredictions() {
        assertThatThrownBy(() -> Predictions.of(model(), List.of()))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("no token is predicted");
    }
}
