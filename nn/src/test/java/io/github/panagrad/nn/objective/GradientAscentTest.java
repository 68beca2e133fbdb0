package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.DistributionLosses;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.StepMetrics;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GradientAscentTest {
    private static boolean forget(Batch.Sequence sequence) {
        return sequence.example() % 4 == 0;
    }

    private final CausalLM model = TinyPreferences.model(5);
    private final Batch batch = TinyPreferences.whole(TinyPreferences.pairs());

    @Test
    void isTheClimbedLossAndTheDivergenceOfTheRest() {
        var before = Teacher.frozenCopy(model);
        TinyPreferences.disturb(model, 7);
        LossTerm term =
                GradientAscent.of(model, before, GradientAscentTest::forget)
                        .klWeight(0.5)
                        .loss(batch, TinyPreferences.step());

        Answers answers = Answers.of(batch);
        double[] logs = answers.tokens(model, Context.EMPTY).toDoubles();
        Tensor mine = model.logits(answers.states(model.hidden(batch)));
        Tensor theirs =
                before.ask(TinyPreferences.step(), m -> m.logits(answers.states(m.hidden(batch))));
        double[] kl = DistributionLosses.forwardKl(mine, theirs).toDoubles();
        double climbed = 0;
        double diverged = 0;
        int forgotten = 0;
        int[] owners = answers.owners();
        for (int i = 0; i < owners.length; i++) {
            if (forget(batch.sequences().get(owners[i]))) {
                climbed -= logs[i];
                forgotten++;
            } else {
                diverged += kl[i];
            }
        }
        climbed /= forgotten;
        diverged /= owners.length - forgotten;
        assertThat(term.sum().item() / term.count())
                .isCloseTo(-climbed + 0.5 * diverged, offset(1e-9));
        assertThat(term.report().get("forget")).isCloseTo(climbed, offset(1e-9));
        assertThat(term.report().get("kl")).isCloseTo(diverged, offset(1e-9)).isGreaterThan(0);
        Grads grads = term.sum().backward();
        for (Parameter each : model.trainable()) {
            assertThat(grads.get(each).norm().item()).isFinite().isGreaterThan(0);
        }
    }

    @Test
    void plainAscentIsTheOppositeOfCrossEntropy() {
        LossTerm term = GradientAscent.plain(model, s -> true).loss(batch, TinyPreferences.step());
        Tensor ce = Answers.of(batch).tokens(model, Context.EMPTY).mean();
        assertThat(term.sum().item() / term.count()).isCloseTo(ce.item(), offset(1e-9));
        Grads up = term.sum().backward();
        Grads down = ce.backward();
        for (Parameter each : model.trainable()) {
            assertThat(up.get(each).mul(1 / term.count()).toDoubles())
                    .containsExactly(down.get(each).toDoubles(), offset(1e-9));
        }
    }

    private StepMetrics last(GradientAscent objective) {
        var all = new ArrayList<StepMetrics>();
        Trainer.of(model, AdamW.of(model.trainable()).lr(3e-3), objective)
                .steps(15)
                .onStep(all::add)
                .run(BatchSource.of(Batches.of(TinyPreferences.pairs()).size(16)));
        assertThat(all.getLast().report().get("forget"))
                .isGreaterThan(all.getFirst().report().get("forget") + 0.5);
        return all.getLast();
    }

    @Test
    void divergenceKeepsTheRestNearer() {
        var before = TinyPreferences.model(5);
        last(GradientAscent.plain(model, GradientAscentTest::forget));
        double lost = restDivergence(before);
        var test = new GradientAscentTest();
        test.last(
                GradientAscent.of(test.model, Teacher.of(before), GradientAscentTest::forget)
                        .klWeight(5));
        assertThat(test.restDivergence(before)).isLessThan(0.5 * lost);
    }

    private double restDivergence(CausalLM before) {
        return GradientAscent.of(model, Teacher.of(before), GradientAscentTest::forget)
                .loss(batch, TinyPreferences.step())
                .report()
                .getOrDefault("kl", Double.NaN);
    }

    @Test
    void rowsThatTakeNoPartCountNothing() {
        LossTerm term = GradientAscent.plain(model, s -> false).loss(batch, TinyPreferences.step());
        assertThat(term.count()).isZero();
        assertThat(term.sum().item()).isZero();
        var objective = GradientAscent.of(model, Teacher.of(model), GradientAscentTest::forget);
        assertThat(objective.isAccumulationInvariant()).isFalse();
        assertThatThrownBy(() -> objective.klWeight(-1)).hasMessageContaining("at least 0");
    }

    @Test
    void aRunEndsWhenTheConceptIsGone() {
        var gone = new ConceptGone(0.05);
        List<Double> seen = new ArrayList<>();
        var objective = Unlearn.of(model, Teacher.frozenCopy(model), Set.of(4, 9)).weights(0, 1);
        Trainer.of(model, AdamW.of(model.trainable()).lr(1e-2), objective)
                .steps(200)
                .onStep(gone)
                .onStep(m -> seen.add(m.report().getOrDefault("concept", Double.NaN)))
                .stopWhen(gone)
                .run(BatchSource.of(Batches.of(TinyPreferences.pairs()).size(16)));
        assertThat(seen.size()).isBetween(2, 199);
        assertThat(seen.getLast()).isLessThan(0.05);
        assertThat(seen.subList(0, seen.size() - 1)).allMatch(p -> p >= 0.05);
        gone.accept(new StepMetrics(1, 0, 1, 1, 1, 1, 1, Map.of("ce", 0.0)));
        assertThat(gone.getAsBoolean()).isFalse();
        assertThatThrownBy(() -> new ConceptGone(0)).hasMessageContaining("above 0");
    }
}
