package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Step;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class GrpoTest {
    private static final int GROUP = 4;
    private static final int SEVEN = 7;
    private static final Sampling SAMPLING = Sampling.temperature(1).maxTokens(5);

    private final CausalLM model = TinyPreferences.model(5);
    private final PolicySurrogate surrogate = PolicySurrogate.of(model, Teacher.frozenCopy(model));
    private final Batch batch = Batches.of(examples()).size(3).iterator().next();

    /// Prompts of three, two and one tokens with answers of one, two and three.
    private static List<Example> examples() {
        int none = Example.IGNORED;
        return List.of(
                new Example(new int[] {1, 2, 3, 9}, new int[] {none, none, none, 9}, 0),
                new Example(new int[] {4, 5, 9, 8}, new int[] {none, none, 9, 8}, 0),
                new Example(new int[] {6, 9, 8, 7}, new int[] {none, 9, 8, 7}, 0));
    }

    private static double sevens(int[] answer) {
        return Arrays.stream(answer).filter(id -> id == SEVEN).count();
    }

    private Grpo objective(Grpo.Reward reward) {
        return new Grpo(surrogate, GROUP, SAMPLING, reward);
    }

    private record Heard(List<Integer> answer, List<Integer> wanted) {}

    private List<Heard> heard(Batch of, Step step) {
        var heard = new ArrayList<Heard>();
        objective(
                        (answer, wanted) -> {
                            heard.add(
                                    new Heard(
                                            Arrays.stream(answer).boxed().toList(),
                                            Arrays.stream(wanted).boxed().toList()));
                            return 0;
                        })
                .loss(of, step);
        return heard;
    }

    @Test
    void rewardsSeeEachAnswerBesideTheOneWanted() {
        var heard = heard(batch, TinyPreferences.step());
        assertThat(heard).hasSize(3 * GROUP);
        for (int i = 0; i < heard.size(); i++) {
            List<Integer> wanted =
                    List.of(List.of(9), List.of(9, 8), List.of(9, 8, 7)).get(i / GROUP);
            assertThat(heard.get(i).wanted).isEqualTo(wanted);
            assertThat(heard.get(i).answer).hasSizeBetween(0, 5);
        }
        assertThat(heard.stream().map(Heard::answer).distinct().count()).isGreaterThan(GROUP);
        Batch packed = Batches.of(examples()).size(3).packed(32).iterator().next();
        assertThat(packed.size()).isEqualTo(1);
        assertThat(heard(packed, TinyPreferences.step())).isEqualTo(heard);
    }

    @Test
    void eachStepSamplesItsOwnAnswersAndEachRunTheSame() {
        var first = heard(batch, TinyPreferences.step(1, 0));
        assertThat(heard(batch, TinyPreferences.step(1, 0))).isEqualTo(first);
        assertThat(heard(batch, TinyPreferences.step(2, 0))).isNotEqualTo(first);
    }

    @Test
    void isTheSurrogateOfItsSamples() {
        Step step = TinyPreferences.step();
        long seed = TinyPreferences.step().context().rng().draw().bits(0);
        List<int[]> prompts = List.of(new int[] {1, 2, 3}, new int[] {4, 5}, new int[] {6});
        double[] rewards = new double[1];
        RolloutBatch rollouts =
                Rollouts.sample(
                        model,
                        prompts,
                        GROUP,
                        SAMPLING.seed(seed),
                        (prompt, answer) -> {
                            rewards[0] += sevens(answer);
                            return sevens(answer);
                        });
        assertThat(rewards[0]).isPositive();
        LossTerm expected = surrogate.loss(rollouts, TinyPreferences.step());
        LossTerm term = objective((answer, wanted) -> sevens(answer)).loss(batch, step);
        assertThat(term.sum().item()).isEqualTo(expected.sum().item());
        assertThat(term.count()).isEqualTo(expected.count());
        assertThat(term.report().get("reward")).isCloseTo(rewards[0] / (3 * GROUP), offset(1e-12));
        assertThat(term.report()).containsAllEntriesOf(expected.report());
        assertThat(term.report().get("clipped")).as("one step a batch").isZero();
        Grads grads = term.sum().backward();
        for (Parameter p : model.trainable()) {
            assertThat(grads.get(p).norm().item()).as(p.name()).isFinite().isPositive();
        }
    }

    @Test
    void equalRewardsTeachNothingButThePenaltyDoes() {
        TinyPreferences.disturb(model, 7);
        Grpo.Reward same = (answer, wanted) -> 3;
        var plain = new Grpo(surrogate.klWeight(0), GROUP, SAMPLING, same);
        LossTerm none = plain.loss(batch, TinyPreferences.step());
        assertThat(none.sum().item()).isZero();
        assertThat(none.report()).containsEntry("reward", 3.0);
        assertThat(none.sum().backward().norm()).isZero();
        LossTerm held = objective(same).loss(batch, TinyPreferences.step());
        assertThat(held.sum().item()).isPositive();
        assertThat(held.sum().backward().norm()).isPositive();
    }

    @Test
    void samplesOutOfTrainingModeAndGoesBack() {
        model.training(true);
        objective(
                        (answer, wanted) -> {
                            assertThat(model.isTraining()).isFalse();
                            return 0;
                        })
                .loss(batch, TinyPreferences.step());
        assertThat(model.isTraining()).isTrue();
        Grpo broken =
                objective((answer, wanted) -> {
                    throw new IllegalStateException("reward");
                });
        assertThatThrownBy(() -> broken.loss(batch, TinyPreferences.step())).hasMessage("reward");
        assertThat(model.isTraining()).isTrue();
    }

    @Test
    void learnsWhatIsRewarded() {
        var rewards = new ArrayList<Double>();
        Trainer.of(
                        model,
                        AdamW.of(model.trainable()).lr(2e-2),
                        new Grpo(surrogate, 8, SAMPLING, (answer, wanted) -> sevens(answer)))
                .steps(12)
                .onWarning(text -> {})
                .onStep(m -> rewards.add(m.report().getOrDefault("reward", Double.NaN)))
                .run(BatchSource.of(Batches.of(examples()).size(3)));
        assertThat(rewards.getLast()).isGreaterThan(rewards.getFirst() + 0.5);
    }

    @Test
    void rowsWithoutAnAnswerAreRefused() {
        Grpo objective = objective((answer, wanted) -> 0);
        int none = Example.IGNORED;
        Batch rows =
                Batches.of(List.of(new Example(new int[] {1, 2}, new int[] {none, none}, 0)))
                        .iterator()
                        .next();
        assertThatThrownBy(() -> objective.loss(rows, TinyPreferences.step()))
                .hasMessageContaining("a row has no prompt or no answer")
                .hasMessageContaining("{\"prompt\", \"completion\"}");
        assertThatThrownBy(() ->
                        new Grpo(surrogate, 1, SAMPLING, (answer, wanted) -> 0)
                                .loss(batch, TinyPreferences.step()))
                .hasMessageContaining("2 or more");
    }

    /// Nothing predicts the first token of a text: it is its prompt.
    @Test
    void textsBeginWithTheirPrompt() {
        Batch texts = Batches.of(List.of(Example.of(1, 2, 3))).iterator().next();
        assertThat(heard(texts, TinyPreferences.step()))
                .hasSize(GROUP)
                .allSatisfy(h -> assertThat(h.wanted).containsExactly(2, 3));
    }
}
