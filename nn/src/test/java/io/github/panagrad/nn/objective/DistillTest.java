package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.DistillOptions;
import io.github.panagrad.losses.DistillOptions.Direction;
import io.github.panagrad.losses.DistributionLosses;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DistillTest {
    private final CausalLM student = TinyPreferences.model(5);
    private final CausalLM large = TinyPreferences.model(6);
    private final Batch batch = TinyPreferences.whole(TinyPreferences.pairs());

    private Distill objective() {
        return Distill.of(student, Teacher.of(large));
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    void isTheDivergenceOfWholeLogits(Direction direction) {
        var options = DistillOptions.DEFAULT.direction(direction).temperature(2).memoryBudget(600);
        LossTerm term =
                objective().options(options).weights(0, 1).loss(batch, TinyPreferences.step());
        Answers answers = Answers.of(batch);
        Tensor mine = student.logits(answers.states(student.hidden(batch))).div(2);
        Tensor theirs = large.logits(answers.states(large.hidden(batch))).div(2);
        Tensor expected =
                (switch (direction) {
                            case FORWARD -> DistributionLosses.forwardKl(mine, theirs);
                            case REVERSE -> DistributionLosses.reverseKl(mine, theirs);
                            case SYMMETRIC -> DistributionLosses.jensenShannon(mine, theirs);
                        })
                        .sum()
                        .mul(4);
        assertThat(term.sum().item()).isCloseTo(expected.item(), offset(1e-9));
        assertThat(term.count()).isEqualTo(batch.predicted());
        Grads found = term.sum().backward();
        Grads dense = expected.backward();
        for (Parameter p : student.trainable()) {
            assertThat(found.get(p).toDoubles())
                    .as(p.name())
                    .containsExactly(dense.get(p).toDoubles(), offset(1e-9));
        }
        large.trainable().forEach(p -> assertThat(found.find(p)).isEmpty());
    }

    @Test
    void batchesAndPackingDoNotMatter() {
        Batches batches = Batches.of(TinyPreferences.pairs());
        var objective = objective().temperature(2);
        double[] whole = TinyPreferences.gradients(objective, student, batches.size(16));
        assertThat(TinyPreferences.gradients(objective, student, batches.size(2)))
                .containsExactly(whole, offset(1e-9));
        assertThat(TinyPreferences.gradients(objective, student, batches.size(16).packed(32)))
                .containsExactly(whole, offset(1e-9));
    }

    @Test
    void theStudentComesNearerToTheTeacher() {
        List<Double> kl = new ArrayList<>();
        Trainer.of(student, AdamW.of(student.trainable()).lr(1e-2), objective().weights(0, 1))
                .steps(20)
                .onStep(m -> kl.add(m.report().getOrDefault("kl", Double.NaN)))
                .run(BatchSource.of(Batches.of(TinyPreferences.pairs()).size(16)));
        assertThat(kl.getLast()).isLessThan(0.5 * kl.getFirst());
        assertThatThrownBy(() -> objective().weights(1, 0)).hasMessageContaining("above 0");
    }

    @Test
    void unlearningIsCrossEntropyAndTheMaskedDivergence() {
        Set<Integer> concept = Set.of(4, 9);
        var before = Teacher.frozenCopy(student);
        TinyPreferences.disturb(student, 7);
        Answers answers = Answers.of(batch);
        Unlearn.Kept kept = (sequence, token) -> sequence.tag() % 2 == 0 && token > 3;
        LossTerm term =
                Unlearn.of(student, before, concept).kept(kept).loss(batch, TinyPreferences.step());

        Tensor theirs =
                before.ask(
                        TinyPreferences.step(),
                        m -> Ops.softmax(m.logits(answers.states(m.hidden(batch))), -1));
        double[] p = theirs.toDoubles();
        double[] q =
                Ops.softmax(student.logits(answers.states(student.hidden(batch))), -1).toDoubles();
        int v = theirs.dim(1);
        double dmk = 0;
        double least = 0;
        double probability = 0;
        int counted = 0;
        int[] owners = answers.owners();
        for (int i = 0; i < owners.length; i++) {
            double masked = 0;
            double mass = 0;
            for (int j = 0; j < v; j++) {
                if (concept.contains(j)) {
                    probability += q[i * v + j] / owners.length;
                } else {
                    masked += p[i * v + j] * Math.log(p[i * v + j] / q[i * v + j]);
                    mass += p[i * v + j];
                }
            }
            if (kept.test(batch.sequences().get(owners[i]), answers.offsets()[i])) {
                counted++;
                dmk += masked;
                least += mass * Math.log(mass);
            }
        }
        assertThat(counted).isBetween(1, owners.length - 1);
        double ce = -answers.tokens(student, Context.EMPTY).mean().item();
        assertThat(term.sum().item() / term.count())
                .isCloseTo(0.9 * ce + 0.75 * dmk / counted, offset(1e-9));
        assertThat(term.report().get("ce")).isCloseTo(ce, offset(1e-9));
        assertThat(term.report().get("dmk")).isCloseTo((dmk - least) / counted, offset(1e-9));
        assertThat(term.report().get("dmk")).isGreaterThan(0);
        assertThat(term.report().get("concept")).isCloseTo(probability, offset(1e-9));
        Grads grads = term.sum().backward();
        for (Parameter each : student.trainable()) {
            assertThat(grads.get(each).norm().item()).isFinite().isGreaterThan(0);
        }
    }

    @Test
    void positionsThatAreNotKeptHaveNoDivergence() {
        TinyPreferences.disturb(student, 7);
        var before = Teacher.of(large);
        LossTerm none =
                Unlearn.of(student, before, Set.of(4))
                        .kept((sequence, token) -> false)
                        .loss(batch, TinyPreferences.step());
        double ce = -Answers.of(batch).tokens(student, Context.EMPTY).mean().item();
        assertThat(none.report()).containsEntry("dmk", 0.0);
        assertThat(none.sum().item() / none.count()).isCloseTo(0.9 * ce, offset(1e-9));
        Grads found = none.sum().backward();
        Grads expected =
                Answers.of(batch).tokens(student, Context.EMPTY).mean().mul(-0.9).backward();
        for (Parameter p : student.trainable()) {
            assertThat(found.get(p).mul(1 / none.count()).toDoubles())
                    .containsExactly(expected.get(p).toDoubles(), offset(1e-9));
        }
        large.trainable().forEach(p -> assertThat(found.find(p)).isEmpty());
    }

    @Test
    void unlearningTakesTheConceptsProbability() {
        List<Double> concept = new ArrayList<>();
        Trainer.of(
                        student,
                        AdamW.of(student.trainable()).lr(1e-2),
                        Unlearn.of(student, Teacher.frozenCopy(student), Set.of(4, 9))
                                .weights(0, 1))
                .steps(15)
                .onStep(m -> concept.add(m.report().getOrDefault("concept", Double.NaN)))
                .run(BatchSource.of(Batches.of(TinyPreferences.pairs()).size(16)));
        assertThat(concept.getLast()).isLessThan(0.3 * concept.getFirst());
        assertThatThrownBy(() -> Unlearn.of(student, Teacher.frozenCopy(student), Set.of(99)))
                .hasMessageContaining("ids below");
    }
}
