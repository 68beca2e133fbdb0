package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.PreferenceReader;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PreferenceObjectivesTest {
    private final CausalLM model = TinyPreferences.model(5);
    private final Reference reference = Reference.of(Teacher.frozenCopy(model));
    private final Map<String, Objective<Batch>> all = new LinkedHashMap<>();

    PreferenceObjectivesTest() {
        all.put("dpo", Dpo.of(model, reference).beta(0.3).smoothing(0.1));
        all.put("ipo", Ipo.of(model, reference).tau(0.2));
        all.put("ipo means", Ipo.of(model, reference).tokenMeans(true));
        all.put("simpo", SimPo.of(model));
        all.put("orpo", Orpo.of(model));
        all.put("kto", Kto.of(model, reference).weights(1, 1.3));
    }

    private Objective<Batch> objective(String name) {
        Objective<Batch> found = all.get(name);
        assertThat(found).as(name).isNotNull();
        return found;
    }

    private static List<Example> examples(String name) {
        return name.equals("kto") ? TinyPreferences.marked() : TinyPreferences.pairs();
    }

    @Test
    void dpoBeginsAtLogTwoAndPushesTheAnswersApart() {
        Batch batch = TinyPreferences.whole(TinyPreferences.pairs());
        LossTerm term = Dpo.of(model, reference).beta(0.3).loss(batch, TinyPreferences.step());
        assertThat(term.count()).isEqualTo(TinyPreferences.PAIRS);
        assertThat(term.sum().item() / term.count()).isCloseTo(Math.log(2), offset(1e-9));
        assertThat(term.report().get("margin")).isCloseTo(0, offset(1e-9));

        // Where policy and reference agree the gradient is −β/2·∇(Σ chosen − Σ rejected).
        Tensor scores = Answers.of(batch).sequences(model, Context.EMPTY, Reduction.SUM);
        Pairs pairs = Pairs.of(batch);
        Grads expected =
                pairs.chosen(scores).sub(pairs.rejected(scores)).sum().mul(-0.15).backward();
        Grads found = term.sum().backward();
        for (Parameter p : model.trainable()) {
            assertThat(found.get(p).toDoubles())
                    .as(p.name())
                    .containsExactly(expected.get(p).toDoubles(), offset(1e-9));
        }
    }

    @Test
    void haveTheValuesOfTheirDefinitions() {
        Batch batch = TinyPreferences.whole(TinyPreferences.pairs());
        double[] before = sums(batch);
        int[] counts = Answers.of(batch).counts();
        TinyPreferences.disturb(model, 7);
        double[] now = sums(batch);
        double dpo = 0;
        double ipo = 0;
        double simPo = 0;
        double orpo = 0;
        double right = 0;
        for (int i = 0; i < now.length; i += 2) {
            double margin = now[i] - now[i + 1] - before[i] + before[i + 1];
            right += margin > 0 ? 1.0 / TinyPreferences.PAIRS : 0;
            dpo += Math.log1p(Math.exp(-0.1 * margin));
            ipo += (margin - 5) * (margin - 5);
            double chosen = now[i] / counts[i];
            double rejected = now[i + 1] / counts[i + 1];
            simPo += Math.log1p(Math.exp(1 - 2 * (chosen - rejected)));
            orpo += -chosen + 0.1 * Math.log1p(Math.exp(odds(rejected) - odds(chosen)));
        }
        LossTerm term = Dpo.of(model, reference).loss(batch, TinyPreferences.step());
        assertThat(term.sum().item()).isCloseTo(dpo, offset(1e-9));
        assertThat(term.report().get("accuracy")).isCloseTo(right, offset(1e-9));
        assertThat(sum(Ipo.of(model, reference), batch)).isCloseTo(ipo, offset(1e-9));
        assertThat(sum(SimPo.of(model), batch)).isCloseTo(simPo, offset(1e-9));
        assertThat(sum(Orpo.of(model), batch)).isCloseTo(orpo, offset(1e-9));
    }

    private double[] sums(Batch batch) {
        return Answers.of(batch).sequences(model, Context.EMPTY, Reduction.SUM).toDoubles();
    }

    private static double odds(double logProbability) {
        return logProbability - Math.log1p(-Math.exp(logProbability));
    }

    private static double sum(Objective<Batch> objective, Batch batch) {
        return objective.loss(batch, TinyPreferences.step()).sum().item();
    }

    @Test
    void ktoComparesWithTheDriftOnOtherPrompts() {
        Batch batch = TinyPreferences.whole(TinyPreferences.marked());
        double[] before = sums(batch);
        LossTerm start = Kto.of(model, reference).loss(batch, TinyPreferences.step());
        assertThat(start.sum().item() / start.count()).isCloseTo(0.5, offset(1e-9));
        boolean positive = false;
        for (int seed = 1; seed < 6; seed++) {
            TinyPreferences.disturb(model, seed);
            double[] now = sums(batch);
            double drift = 0;
            for (int i = 1; i < now.length; i += 2) {
                drift += (now[i] - before[i]) / TinyPreferences.PAIRS;
            }
            positive |= drift > 0;
            drift = Math.max(0, drift);
            double expected = 0;
            for (int i = 0; i < now.length; i += 2) {
                boolean good = i / 2 % 3 != 0;
                double gain = (good ? 0.1 : -0.1) * (now[i] - before[i] - drift);
                expected += (good ? 1 : 1.3) / (1 + Math.exp(gain));
            }
            LossTerm term = objective("kto").loss(batch, TinyPreferences.step());
            assertThat(term.sum().item()).isCloseTo(expected, offset(1e-9));
            assertThat(term.report().get("kl")).isCloseTo(drift, offset(1e-9));
        }
        assertThat(positive).as("a drift above 0 among the cases").isTrue();
        assertThat(objective("kto").isAccumulationInvariant()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"dpo", "ipo", "ipo means", "simpo", "orpo", "kto"})
    void everyParameterGetsAGradient(String name) {
        TinyPreferences.disturb(model, 7);
        Grads grads =
                objective(name)
                        .loss(TinyPreferences.whole(examples(name)), TinyPreferences.step())
                        .sum()
                        .backward();
        for (Parameter p : model.trainable()) {
            double norm = grads.get(p).norm().item();
            assertThat(norm).as(name + " " + p.name()).isFinite().isGreaterThan(0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"dpo", "ipo", "ipo means", "simpo", "orpo"})
    void eightSmallBatchesAreOneLargeOne(String name) {
        TinyPreferences.disturb(model, 7);
        Batches batches = Batches.of(examples(name)).grouped(2);
        Objective<Batch> objective = objective(name);
        assertThat(objective.isAccumulationInvariant()).isTrue();
        double[] parts = TinyPreferences.gradients(objective, model, batches.size(1));
        double[] whole = TinyPreferences.gradients(objective, model, batches.size(8));
        assertThat(parts).containsExactly(whole, offset(1e-9));
    }

    @ParameterizedTest
    @ValueSource(strings = {"dpo", "ipo", "ipo means", "simpo", "orpo", "kto"})
    void packedRowsLearnLikePaddedOnes(String name) {
        TinyPreferences.disturb(model, 7);
        Batches batches = Batches.of(examples(name)).grouped(2).size(8);
        double[] padded = TinyPreferences.gradients(objective(name), model, batches);
        double[] packed = TinyPreferences.gradients(objective(name), model, batches.packed(32));
        assertThat(packed).containsExactly(padded, offset(1e-9));
    }

    @Test
    void aCachedReferenceIsAskedOnceForEachExample() {
        var scores = new ScoreCache();
        Reference cached = reference.cached(scores);
        Batch batch = TinyPreferences.whole(TinyPreferences.pairs());
        double[] expected = reference.logProbs(batch, TinyPreferences.step());
        Batch half = batch.only(s -> s.example() % 3 == 0);
        double[] some = cached.logProbs(half, TinyPreferences.step());
        assertThat(scores.size()).isEqualTo(half.sequences().size());
        assertThat(cached.logProbs(batch, TinyPreferences.step()))
                .containsExactly(expected, offset(1e-9));
        assertThat(scores.size()).isEqualTo(batch.sequences().size());
        for (int i = 0; i < some.length; i++) {
            int number = half.sequences().get(i).example();
            assertThat(some[i]).isCloseTo(expected[number], offset(1e-9));
            assertThat(ScoreCache.key(half, half.sequences().get(i)))
                    .isEqualTo(ScoreCache.key(TinyPreferences.pairs().get(number)));
        }
        // What is known is not computed again, in whatever layout it comes.
        scores.put(ScoreCache.key(TinyPreferences.pairs().get(2)), -77);
        Batch packed =
                Batches.of(TinyPreferences.pairs()).grouped(2).size(8).packed(32).cursor().next();
        double[] again = cached.logProbs(packed, TinyPreferences.step());
        for (int i = 0; i < again.length; i++) {
            if (packed.sequences().get(i).example() == 2) {
                assertThat(again[i]).isEqualTo(-77);
            }
        }
        assertThatThrownBy(() -> Reference.of(Teacher.ema(model, 0.9)).cached(scores))
                .hasMessageContaining("the teacher changes");
    }

    @Test
    void refuseBatchesWithoutWholePairs() {
        Function<Batch, LossTerm> loss = b -> SimPo.of(model).loss(b, TinyPreferences.step());
        Batch whole = TinyPreferences.whole(TinyPreferences.pairs());
        assertThatThrownBy(() -> loss.apply(whole.only(s -> s.tag() != 3)))
                .hasMessageContaining("pair 1 is not whole")
                .hasMessageContaining("no rejected answer");
        Dataset twice =
                Dataset.of(TinyPreferences.pairs()).concat(Dataset.of(TinyPreferences.pairs()));
        Batch doubled = Batches.of(twice).grouped(2).size(16).cursor().next();
        assertThatThrownBy(() -> loss.apply(doubled)).hasMessageContaining("two chosen answers");
        assertThatThrownBy(() ->
                        objective("kto").loss(whole.only(s -> s.tag() < 2), TinyPreferences.step()))
                .hasMessageContaining("no answers to other prompts");
    }

    @Test
    void tenStepsWidenTheMarginOfARealModel(@TempDir Path folder) throws IOException {
        var stories = CausalLM.load(Assets.require("models/stories260k"));
        List<String> rows = new ArrayList<>();
        for (String name : List.of("Tim", "Lily", "Tom")) {
            rows.add(
                    "{\"prompt\":\"%s saw a dog. \",\"chosen\":\"%s was happy.\",\"rejected\":\"%s was sad.\"}"
                            .formatted(name, name, name));
        }
        Dataset pairs =
                PreferenceReader.of(stories.tokenizer())
                        .pairs(Files.write(folder.resolve("pairs.jsonl"), rows));
        Reference before = Reference.of(Teacher.frozenCopy(stories)).cached(new ScoreCache());
        var losses = new ArrayList<Double>();
        var margins = new ArrayList<Double>();
        var right = new ArrayList<Double>();
        Trainer.of(stories, AdamW.of(stories.trainable()).lr(5e-4), Dpo.of(stories, before))
                .steps(10)
                .onStep(m -> {
                    losses.add(m.loss());
                    margins.add(m.report().getOrDefault("margin", Double.NaN));
                    right.add(m.report().getOrDefault("accuracy", Double.NaN));
                })
                .run(BatchSource.of(Batches.of(pairs).grouped(2).size(3).packed(96)));
        assertThat(losses.getFirst()).isCloseTo(Math.log(2), offset(1e-4));
        assertThat(margins.getFirst()).isCloseTo(0, offset(1e-3));
        assertThat(losses.getLast()).isLessThan(0.9 * Math.log(2));
        assertThat(margins.getLast()).isGreaterThan(0.2);
        assertThat(right.getLast()).isEqualTo(1);
    }
}
