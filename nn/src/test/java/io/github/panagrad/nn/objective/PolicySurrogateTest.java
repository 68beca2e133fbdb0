package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PolicySurrogateTest {
    private static final Rollouts.Reward LIKES_SEVEN =
            (prompt, answer) -> Arrays.stream(answer).filter(id -> id == 7).count();

    private final CausalLM model = TinyPreferences.model(5);
    private final Teacher<CausalLM> reference = Teacher.frozenCopy(model);
    private final Batch batch = TinyPreferences.whole(TinyPreferences.pairs());

    private double[] tokens(Batch of) {
        return Answers.of(of).tokens(model, Context.EMPTY).toDoubles();
    }

    private RolloutBatch rollouts(Batch of) {
        double[] advantages =
                of.sequences().stream().mapToDouble(s -> s.example() % 2 == 0 ? 1 : -0.5).toArray();
        return new RolloutBatch(of, advantages, tokens(of));
    }

    @Test
    void hasTheValueOfItsDefinition() {
        RolloutBatch rollouts = rollouts(batch);
        TinyPreferences.disturb(model, 7);
        double[] now = tokens(batch);
        Answers answers = Answers.of(batch);
        int[] owners = answers.owners();
        int[] counts = answers.counts();
        double perAnswer = 0;
        double perToken = 0;
        double divergence = 0;
        for (int i = 0; i < now.length; i++) {
            double ratio = Math.exp(now[i] - rollouts.sampled()[i]);
            double gain = rollouts.advantages()[owners[i]];
            double clipped = Math.clamp(ratio, 0.95, 1.1);
            double d = rollouts.sampled()[i] - now[i];
            double kl = Math.exp(d) - d - 1;
            double loss = -Math.min(ratio * gain, clipped * gain) + 0.04 * kl;
            perAnswer += loss / counts[owners[i]];
            perToken += loss;
            divergence += kl / now.length;
        }
        var objective = PolicySurrogate.of(model, reference).bounds(0.05, 0.1);
        LossTerm term = objective.loss(rollouts, TinyPreferences.step());
        assertThat(term.sum().item()).isCloseTo(perAnswer, offset(1e-9));
        assertThat(term.count()).isEqualTo(16);
        assertThat(term.report().get("kl")).isCloseTo(divergence, offset(1e-9));
        assertThat(term.report().get("clipped")).isGreaterThan(0);
        Grads grads = term.sum().backward();
        for (Parameter p : model.trainable()) {
            assertThat(grads.get(p).norm().item()).isFinite().isGreaterThan(0);
        }
        LossTerm tokens = objective.tokenMeans(true).loss(rollouts, TinyPreferences.step());
        assertThat(tokens.sum().item()).isCloseTo(perToken, offset(1e-9));
        assertThat(tokens.count()).isEqualTo(now.length);
    }

    @Test
    void beginsWithTheGradientOfThePolicy() {
        RolloutBatch rollouts = rollouts(batch);
        LossTerm term =
                PolicySurrogate.of(model, reference)
                        .tokenMeans(true)
                        .loss(rollouts, TinyPreferences.step());
        Answers answers = Answers.of(batch);
        Tensor scores = answers.tokens(model, Context.EMPTY);
        double[] gains =
                Arrays.stream(answers.owners())
                        .mapToDouble(owner -> -rollouts.advantages()[owner])
                        .toArray();
        Grads expected = scores.mul(Answers.constant(scores, gains)).sum().backward();
        Grads found = term.sum().backward();
        for (Parameter p : model.trainable()) {
            assertThat(found.get(p).toDoubles())
                    .containsExactly(expected.get(p).toDoubles(), offset(1e-9));
        }
        assertThat(term.report().get("kl")).isCloseTo(0, offset(1e-9));
        assertThat(term.report().get("ratio")).isCloseTo(1, offset(1e-9));
    }

    @Test
    void packingDoesNotMatter() {
        Batch packed =
                Batches.of(TinyPreferences.pairs()).grouped(2).size(8).packed(32).cursor().next();
        RolloutBatch a = rollouts(batch);
        RolloutBatch b = rollouts(packed);
        TinyPreferences.disturb(model, 7);
        var objective = PolicySurrogate.of(model, reference);
        assertThat(objective.loss(b, TinyPreferences.step()).sum().item())
                .isCloseTo(objective.loss(a, TinyPreferences.step()).sum().item(), offset(1e-9));
    }

    @Test
    void manySmallBatchesAreOneLargeOne() {
        RolloutBatch whole = rollouts(batch);
        List<RolloutBatch> parts = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            int number = i;
            parts.add(rollouts(batch.only(s -> s.example() == number)));
        }
        TinyPreferences.disturb(model, 7);
        for (boolean tokenMeans : new boolean[] {false, true}) {
            var objective = PolicySurrogate.of(model, reference).tokenMeans(tokenMeans);
            assertThat(TinyPreferences.gradients(objective, model, parts))
                    .containsExactly(
                            TinyPreferences.gradients(objective, model, List.of(whole)),
                            offset(1e-9));
        }
    }

    @Test
    void comparesTheRewardsOfAGroup() {
        assertThat(Rollouts.relative(new double[] {1, 1, 1})).containsExactly(0, 0, 0);
        assertThat(Rollouts.relative(new double[] {0, 1, 1, 2}))
                .containsExactly(new double[] {-Math.sqrt(2), 0, 0, Math.sqrt(2)}, offset(1e-12));
    }

    @Test
    void samplesAnswersOnceAndForAll() {
        List<int[]> prompts = List.of(new int[] {1, 2}, new int[] {3});
        Sampling sampling = Sampling.temperature(1).maxTokens(5).seed(4);
        RolloutBatch first = Rollouts.sample(model, prompts, 4, sampling, LIKES_SEVEN);
        RolloutBatch again = Rollouts.sample(model, prompts, 4, sampling, LIKES_SEVEN);
        assertThat(again.batch().ids()).containsExactly(first.batch().ids());
        assertThat(first.batch().sequences()).hasSize(8);
        assertThat(first.sampled()).containsExactly(tokens(first.batch()), offset(1e-12));
        assertThat(Arrays.stream(first.advantages()).limit(4).sum()).isCloseTo(0, offset(1e-9));
        assertThatThrownBy(() -> Rollouts.sample(model, prompts, 1, sampling, LIKES_SEVEN))
                .hasMessageContaining("2 or more");
        assertThatThrownBy(() -> new RolloutBatch(batch, new double[1], new double[1]))
                .hasMessageContaining("do not fit");
    }

    @Test
    void learnsWhatIsRewarded() {
        List<int[]> prompts = List.of(new int[] {1, 2});
        Sampling sampling = Sampling.temperature(1).maxTokens(4);
        double before = sevens(prompts);
        var optimizer = AdamW.of(model.trainable()).lr(2e-2);
        for (int round = 0; round < 6; round++) {
            RolloutBatch sampled =
                    Rollouts.sample(model, prompts, 8, sampling.seed(100L * round), LIKES_SEVEN);
            Trainer.of(model, optimizer, PolicySurrogate.of(model, reference))
                    .onWarning(text -> {})
                    .steps(2)
                    .run(epoch -> List.of(sampled));
        }
        assertThat(sevens(prompts)).isGreaterThan(before + 0.5);
    }

    /// Returns how many sevens answers have on average.
    private double sevens(List<int[]> prompts) {
        RolloutBatch sampled =
                Rollouts.sample(
                        model,
                        prompts,
                        16,
                        Sampling.temperature(1).maxTokens(4).seed(9999),
                        LIKES_SEVEN);
        int[] labels = sampled.batch().labels();
        return Arrays.stream(labels).filter(id -> id == 7).count() / 16.0;
    }
}
