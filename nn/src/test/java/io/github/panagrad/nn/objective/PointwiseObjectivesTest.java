package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.losses.ClassWeights;
import io.github.panagrad.losses.CrossEntropyOptions;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.InputCorruption;
import io.github.panagrad.nn.metrics.HeavyTokens;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Objectives.Labelled;
import io.github.panagrad.nn.train.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PointwiseObjectivesTest {
    private static final Step STEP = new Step(60, 100, 1, Context.EMPTY);
    private static final double[] REFERENCES = {-3, -2, -4, -3.5, -2.5, -3, -1, -5};

    private static CausalLM model() {
        return CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
    }

    /// Eight examples with prompts of two to four tokens.
    private static List<Example> examples() {
        var examples = new ArrayList<Example>();
        for (int i = 0; i < 8; i++) {
            int[] ids = TinyModels.ids(i, 1, 5 + i % 5).toInts();
            int[] labels = ids.clone();
            Arrays.fill(labels, 0, 2 + i % 3, Example.IGNORED);
            examples.add(new Example(ids, labels, 0));
        }
        return examples;
    }

    private static List<Batch> batches(int size) {
        var list = new ArrayList<Batch>();
        Batches.of(examples()).size(size).forEach(list::add);
        return list;
    }

    /// The objectives of a language model whose loss is a sum over tokens or examples.
    enum Kind {
        PLAIN {
            @Override
            Objective<Batch> of(CausalLM model) {
                return Pointwise.nextToken(model, PointLoss.crossEntropy());
            }
        },
        SMOOTHED {
            @Override
            Objective<Batch> of(CausalLM model) {
                return Pointwise.nextToken(
                        model, PointLoss.crossEntropy(), HeadOptions.DEFAULT.labelSmoothing(0.1));
            }
        },
        FOCAL {
            @Override
            Objective<Batch> of(CausalLM model) {
                return Pointwise.nextToken(model, PointLoss.focal(2));
            }
        },
        POLY_1 {
            @Override
            Objective<Batch> of(CausalLM model) {
                return Pointwise.nextToken(model, PointLoss.poly1(1));
            }
        },
        MIXED {
            @Override
            Objective<Batch> of(CausalLM model) {
                return Pointwise.nextToken(
                        model,
                        PointLoss.mix(0.4, PointLoss.crossEntropy(), PointLoss.generalized(0.7)));
            }
        },
        SYMMETRIC {
            @Override
            Objective<Batch> of(CausalLM model) {
                return Pointwise.nextToken(model, PointLoss.symmetric(0.1, 1, -4));
            }
        },
        PERPLEXITY {
            @Override
            Objective<Batch> of(CausalLM model) {
                return PerplexityWeighted.of(model).alpha(4);
            }
        },
        COVERAGE {
            @Override
            Objective<Batch> of(CausalLM model) {
                return DirectCoverage.of(model, 64);
            }
        },
        PREFERENCE {
            @Override
            Objective<Batch> of(CausalLM model) {
                return new Poft(model, REFERENCES);
            }
        },
        MASKED {
            @Override
            Objective<Batch> of(CausalLM model) {
                return new MaskedThought(
                        DirectCoverage.of(model, 8),
                        InputCorruption.of(0, TinyModels.VOCABULARY, 3).rate(0.8));
            }
        };

        abstract Objective<Batch> of(CausalLM model);
    }

    private record Sum(double loss, double count, Grads grads) {}

    private static Sum sum(Objective<Batch> objective, List<Batch> batches) {
        double loss = 0;
        double count = 0;
        Grads grads = null;
        for (Batch batch : batches) {
            LossTerm term = objective.loss(batch, STEP);
            loss += term.sum().item();
            count += term.count();
            Grads own = term.sum().backward();
            grads = grads == null ? own : grads.plus(own);
        }
        if (grads == null) {
            throw new AssertionError("no batch");
        }
        return new Sum(loss, count, grads);
    }

    private static void assertSame(CausalLM model, Sum actual, Sum expected) {
        assertThat(actual.count).isEqualTo(expected.count);
        assertThat(actual.loss).isCloseTo(expected.loss, offset(1e-4));
        for (Parameter p : model.trainable()) {
            assertThat(actual.grads.get(p).toFloats())
                    .as(p.name())
                    .containsExactly(expected.grads.get(p).toFloats(), within(2e-4f));
        }
    }

    @ParameterizedTest
    @EnumSource
    void eightSmallBatchesAreOneLargeOneAndPackedOnesToo(Kind kind) {
        var model = model();
        var objective = kind.of(model);
        assertThat(objective.isAccumulationInvariant()).isTrue();
        Sum whole = sum(objective, batches(8));
        assertSame(model, sum(objective, batches(1)), whole);
        var packed = new ArrayList<Batch>();
        Batches.of(examples()).size(2).packed(16).forEach(packed::add);
        assertThat(packed.getFirst().isPacked()).isTrue();
        assertSame(model, sum(objective, packed), whole);
    }

    @ParameterizedTest
    @EnumSource
    void everyTensorIsReached(Kind kind) {
        var model = model();
        Sum sum = sum(kind.of(model), batches(8));
        for (Parameter p : model.trainable()) {
            float[] g = sum.grads.get(p).toFloats();
            double norm = 0;
            for (float x : g) {
                assertThat(x).as(p.name()).isFinite();
                norm += Math.abs(x);
            }
            assertThat(norm).as(p.name()).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBatchWithNothingToPredictCountsNothing(Kind kind) {
        int[] none = {Example.IGNORED, Example.IGNORED};
        var batch = Batches.of(List.of(new Example(new int[] {1, 2}, none, 0))).iterator().next();
        LossTerm term = kind.of(model()).loss(batch, STEP);
        assertThat(term.count()).isZero();
        assertThat(term.sum().item()).isZero();
    }

    @Test
    void thePlainOneIsNextTokenPrediction() {
        var model = model();
        Sum plain = sum(Objectives.nextToken(model), batches(8));
        assertSame(model, sum(Kind.PLAIN.of(model), batches(8)), plain);
        assertSame(model, sum(PerplexityWeighted.of(model).lambda(0), batches(8)), plain);
        var smoothed = HeadOptions.DEFAULT.labelSmoothing(0.1);
        assertSame(
                model,
                sum(Kind.SMOOTHED.of(model), batches(8)),
                sum(Objectives.nextToken(model, smoothed), batches(8)));
    }

    @Test
    void coverageOfOneSampleIsTheCrossEntropyOfWholeAnswers() {
        var model = model();
        Sum plain = sum(Objectives.nextToken(model), batches(8));
        Sum one = sum(DirectCoverage.of(model, 1), batches(8));
        assertThat(one.count).isEqualTo(8);
        assertThat(one.loss).isCloseTo(plain.loss, offset(1e-4));
    }

    @Test
    void perplexityWeightsOfNoAlphaScaleTheLoss() {
        var model = model();
        Sum plain = sum(Objectives.nextToken(model), batches(8));
        var flat = PerplexityWeighted.of(model).alpha(0).lambda(3);
        assertThat(sum(flat, batches(8)).loss).isCloseTo(4 * plain.loss, offset(1e-3));
    }

    @Test
    void weightsOfTokensAreHeard() {
        var model = model();
        var heavy = new HeavyTokens();
        sum(PerplexityWeighted.of(model).alpha(4).onWeight(heavy::add), batches(8));
        long predicted = batches(8).getFirst().predicted();
        var all = heavy.heaviest(TinyModels.VOCABULARY, 1);
        assertThat(all.stream().mapToLong(HeavyTokens.Heavy::count).sum()).isEqualTo(predicted);
        double total = all.stream().mapToDouble(h -> h.weight() * h.count()).sum();
        assertThat(total).isCloseTo(predicted, offset(1e-3));
        assertThat(all.getFirst().weight()).isGreaterThan(1);
    }

    @Test
    void weightsOverBatchesAreAnnounced() {
        var model = model();
        var objective = PerplexityWeighted.of(model).scope(PerplexityWeighted.Scope.BATCH);
        assertThat(objective.isAccumulationInvariant()).isFalse();
        double whole = sum(objective, batches(8)).loss;
        double apart = sum(objective, batches(1)).loss;
        double bySequence = sum(PerplexityWeighted.of(model), batches(8)).loss;
        assertThat(apart).isCloseTo(bySequence, offset(1e-3));
        assertThat(whole).isNotCloseTo(apart, offset(1e-3));
        var term = objective.loss(batches(8).getFirst(), STEP);
        assertThat(term.report().get("heaviest_share")).isBetween(0.0, 1.0);
    }

    /// The weights of a sequence's tokens, in their order, by example.
    private static double[][] heardWeights(CausalLM model, Iterable<Batch> batches) {
        double[][] heard = new double[8][];
        for (Batch batch : batches) {
            var weights = new ArrayList<Double>();
            PerplexityWeighted.of(model).onWeight((id, w) -> weights.add(w)).loss(batch, STEP);
            int next = 0;
            for (Batch.Sequence s : batch.sequences()) {
                int from = s.row() * batch.length() + s.start();
                long count =
                        Arrays.stream(batch.targets(), from, from + s.length())
                                .filter(target -> target != Example.IGNORED)
                                .count();
                heard[s.example()] = new double[(int) count];
                for (int t = 0; t < count; t++) {
                    heard[s.example()][t] = weights.get(next++);
                }
            }
        }
        return heard;
    }

    @Test
    void weightsOfSequencesHaveTheSameBitsInAnyBatch() {
        var model = model();
        double[][] whole = heardWeights(model, batches(8));
        assertThat(heardWeights(model, batches(1))).isDeepEqualTo(whole);
        assertThat(heardWeights(model, batches(3))).isDeepEqualTo(whole);
        assertThat(heardWeights(model, Batches.of(examples()).size(2).packed(32)))
                .isDeepEqualTo(whole);
    }

    @Test
    void preferenceReportsItsMeanWeightAndWhoIsAhead() {
        var model = model();
        Batch batch = batches(8).getFirst();
        double[] means =
                Answers.of(batch).sequences(model, Context.EMPTY, Reduction.MEAN).toDoubles();
        double tau = 0;
        double ahead = 0;
        double loss = 0;
        for (int i = 0; i < 8; i++) {
            double gap = REFERENCES[i] - means[i];
            tau += 1 / (1 + Math.exp(-gap)) / 8;
            ahead += gap < 0 ? 1.0 / 8 : 0;
            loss += Math.log1p(Math.exp(gap));
        }
        LossTerm term = new Poft(model, REFERENCES).loss(batch, STEP);
        assertThat(term.count()).isEqualTo(8);
        assertThat(term.sum().item()).isCloseTo(loss, offset(1e-4));
        assertThat(term.report().get("preference_weight")).isCloseTo(tau, offset(1e-5));
        assertThat(term.report().get("ahead")).isCloseTo(ahead, offset(1e-12)).isBetween(0.1, 0.9);
    }

    @Test
    void emptyAnswersAreLeftOutOfSequenceLossesAndTheirCount() {
        var model = model();
        var more = new ArrayList<>(examples());
        int[] none = {Example.IGNORED, Example.IGNORED, Example.IGNORED};
        more.add(new Example(new int[] {1, 2, 3}, none, 0));
        var batch = Batches.of(more).size(9).iterator().next();
        assertThat(batch.size()).isEqualTo(9);
        double[] references = Arrays.copyOf(REFERENCES, 9);
        for (Objective<Batch> objective :
                List.of(new Poft(model, references), DirectCoverage.of(model, 8))) {
            LossTerm eight = objective.loss(batches(8).getFirst(), STEP);
            LossTerm nine = objective.loss(batch, STEP);
            assertThat(nine.count()).isEqualTo(8);
            assertThat(nine.sum().item()).isCloseTo(eight.sum().item(), offset(1e-5));
            assertThat(nine.report().keySet()).isEqualTo(eight.report().keySet());
        }
    }

    @Test
    void theOrderOfExamplesDoesNotMatter() {
        var model = model();
        for (Kind kind : new Kind[] {Kind.PREFERENCE, Kind.COVERAGE, Kind.PERPLEXITY}) {
            var shuffled = new ArrayList<Batch>();
            Batches.of(examples()).size(3).shuffled(4).forEach(shuffled::add);
            assertThat(shuffled.getFirst().sequences().getFirst().example()).isNotZero();
            assertSame(model, sum(kind.of(model), shuffled), sum(kind.of(model), batches(8)));
        }
    }

    @Test
    void examplesOfLittleWeightAreLeftOut() {
        var model = model();
        var heard = new double[8];
        var all = DirectCoverage.of(model, 64).onWeight((s, w) -> heard[s.example()] = w);
        sum(all, batches(4));
        assertThat(heard).doesNotContain(0.0);
        double cut = Arrays.stream(heard).sorted().toArray()[3];
        Sum some = sum(all.minWeight(cut), batches(8));
        assertThat(some.count).isEqualTo(5);
        assertThat(some.loss).isLessThan(sum(all, batches(8)).loss);
    }

    @Test
    void noLogitsOfAVocabularyAreBuilt() {
        int vocabulary = 40_000;
        var config = TinyModels.decoder("llama").with("vocab_size", (long) vocabulary);
        var model =
                CausalLM.create(TinyModels.config(config.with("max_position_embeddings", 64L)), 5);
        var examples = new ArrayList<Example>();
        for (int i = 0; i < 16; i++) {
            examples.add(Example.of(TinyModels.ids(i, 1, 64).toInts()));
        }
        var batch = Batches.of(examples).size(16).iterator().next();
        long logits = 4L * 16 * 64 * vocabulary;
        double[] references = new double[16];
        Arrays.fill(references, -10);
        for (Objective<Batch> objective :
                List.of(
                        Pointwise.nextToken(model, PointLoss.focal(2)),
                        PerplexityWeighted.of(model),
                        DirectCoverage.of(model, 16),
                        new Poft(model, references))) {
            Pool.floats().trim();
            long before = Pool.floats().freshBytes();
            Ops.scope(() -> objective.loss(batch, STEP).sum().backward().norm());
            assertThat(Pool.floats().freshBytes() - before).isLessThan(logits / 2);
        }
        Pool.floats().trim();
    }

    private static BertClassifier classifier() {
        var encoder = BertModel.create(TinyModels.config(TinyModels.encoder()), 3);
        return BertClassifier.ofRows(encoder, List.of("a", "b", "c"), Pooling.MEAN, 7);
    }

    private static Labelled labelled() {
        var input =
                BertInput.of(
                        List.of(
                                new int[] {1, 2, 3},
                                new int[] {4, 5},
                                new int[] {6},
                                new int[] {7}),
                        0);
        return new Labelled(input, Ops.indices(new int[] {0, 2, -100, 1}, 4));
    }

    @Test
    void classifiersHaveThemTooWithClassWeights() {
        var model = classifier();
        var plain = Pointwise.classification(model, PointLoss.crossEntropy());
        LossTerm expected = Objectives.classification(model).loss(labelled(), STEP);
        LossTerm term = plain.loss(labelled(), STEP);
        assertThat(term.count()).isEqualTo(3);
        assertThat(term.sum().item()).isCloseTo(expected.sum().item(), offset(1e-5));
        assertThat(term.report().get("ce")).isCloseTo(expected.sum().item() / 3, offset(1e-5));

        var weights = CrossEntropyOptions.DEFAULT.classWeights(ClassWeights.balanced(6, 3, 1));
        LossTerm weighted =
                Pointwise.classification(model, PointLoss.crossEntropy(), weights)
                        .loss(labelled(), STEP);
        LossTerm same = Objectives.classification(model, weights).loss(labelled(), STEP);
        assertThat(weighted.sum().item()).isCloseTo(same.sum().item(), offset(1e-5));

        Tensor nll =
                Losses.crossEntropy(
                        model.logits(labelled().input()),
                        labelled().labels(),
                        CrossEntropyOptions.DEFAULT.reduction(Reduction.NONE));
        double byHand = 0;
        double[] known = ClassWeights.balanced(6, 3, 1).toDoubles();
        int[] labels = labelled().labels().toInts();
        for (int i = 0; i < 4; i++) {
            double l = nll.toDoubles()[i];
            byHand += labels[i] < 0 ? 0 : known[labels[i]] * Math.pow(1 - Math.exp(-l), 2) * l;
        }
        LossTerm focal =
                Pointwise.classification(model, PointLoss.focal(2), weights).loss(labelled(), STEP);
        assertThat(focal.sum().item()).isCloseTo(byHand, offset(1e-5));
        assertThat(focal.sum().backward().norm()).isPositive();
    }

    @Test
    void mixturesHaveTheirValue() {
        Tensor nll = Ops.tensor64(new double[] {-Math.log(0.6)}, 1);
        var mixed = PointLoss.mix(0.4, PointLoss.crossEntropy(), PointLoss.generalized(0.7));
        assertThat(mixed.of(nll).at(0)).isCloseTo(0.462015, offset(1e-6));
    }

    @Test
    void sayWhatIsWrong() {
        var model = model();
        assertThatThrownBy(() -> DirectCoverage.of(model, 0)).hasMessageContaining("n 0.0");
        assertThatThrownBy(() -> PerplexityWeighted.of(model).alpha(-1))
                .hasMessageContaining("alpha -1.0");
        assertThatThrownBy(() -> PointLoss.mix(2, PointLoss.focal(1), PointLoss.focal(2)))
                .hasMessageContaining("0 to 1");
        assertThatThrownBy(() -> new Poft(model, new double[3]).loss(batches(8).getFirst(), STEP))
                .hasMessageContaining("no reference score of example 3");
    }
}
