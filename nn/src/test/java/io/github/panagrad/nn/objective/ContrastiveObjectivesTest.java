package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.losses.ContrastiveLosses;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.models.SentenceEmbedder;
import io.github.panagrad.nn.objective.ContrastiveObjectives.Pairs;
import io.github.panagrad.nn.objective.ContrastiveObjectives.Triplets;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContrastiveObjectivesTest {
    private static final Pairs PAIRS = new Pairs(Encoders.rows(1, 4), Encoders.rows(2, 4));
    private static final Triplets TRIPLETS =
            new Triplets(Encoders.rows(1, 4), Encoders.rows(2, 4), Encoders.rows(3, 4));
    private static final int[] LABELS = {0, 0, 1, 1, 2};

    /// Means, without the pre-trained pooler, which they do not go through.
    private static BertModel encoder() {
        BertModel encoder = Encoders.encoder();
        encoder.freeze(PathPattern.of("pooler"));
        return encoder;
    }

    private static Embedder embedder(BertModel encoder) {
        return (input, context) ->
                SentenceEmbedder.normalised(
                        Pooling.MEAN.pool(encoder.hidden(input, context), input.mask()));
    }

    private static <B> void check(BertModel encoder, Objective<B> objective, B batch, int count) {
        LossTerm term = objective.loss(batch, Encoders.step(1, 10));
        assertThat(term.count()).isEqualTo(count);
        Encoders.assertAllLearn(encoder, term.sum().backward());

        encoder.to(DType.F64);
        Encoders.assertGradients(
                encoder, () -> objective.loss(batch, Encoders.step(1, 10)).sum().div(count));
    }

    @Test
    void supervisedPullsClassesTogether() {
        BertModel encoder = encoder();
        check(
                encoder,
                ContrastiveObjectives.supervised(embedder(encoder), SupConOptions.DEFAULT),
                Encoders.batch(LABELS),
                5);
    }

    @Test
    void infoNceFindsKeys() {
        BertModel encoder = encoder();
        check(encoder, ContrastiveObjectives.infoNce(embedder(encoder), 0.1, true), PAIRS, 4);
    }

    @Test
    void tripletKeepsItsMargin() {
        BertModel encoder = encoder();
        check(encoder, ContrastiveObjectives.triplet(embedder(encoder), 3), TRIPLETS, 4);
    }

    @Test
    void batchHardTripletKeepsItsMargin() {
        BertModel encoder = encoder();
        check(
                encoder,
                ContrastiveObjectives.batchHardTriplet(embedder(encoder), 3),
                Encoders.batch(LABELS),
                5);
    }

    @Test
    void onlyGivenTripletsDoNotDependOnTheirBatch() {
        Embedder embedder = embedder(encoder());
        assertThat(ContrastiveObjectives.triplet(embedder, 1).isAccumulationInvariant()).isTrue();
        assertThat(ContrastiveObjectives.infoNce(embedder, 1, false).isAccumulationInvariant())
                .isFalse();
        assertThat(
                        ContrastiveObjectives.supervised(embedder, SupConOptions.DEFAULT)
                                .isAccumulationInvariant())
                .isFalse();
        assertThat(ContrastiveObjectives.batchHardTriplet(embedder, 1).isAccumulationInvariant())
                .isFalse();
    }

    @Test
    void haveTheValuesOfTheirLosses() {
        Embedder embedder = embedder(encoder());
        Tensor queries = embedder.embed(PAIRS.queries(), Context.EMPTY);
        Tensor keys = embedder.embed(PAIRS.keys(), Context.EMPTY);
        LossTerm term =
                ContrastiveObjectives.infoNce(embedder, 0.2, false)
                        .loss(PAIRS, Encoders.step(1, 10));

        assertThat(term.sum().item() / term.count())
                .isCloseTo(
                        ContrastiveLosses.infoNce(queries, keys, 0.2, false).item(), offset(1e-6));
    }

    @Test
    void keysAreLearntAndSmallBatchesWarnedOf() {
        BertModel encoder = encoder();
        var losses = new ArrayList<Double>();
        var warnings = new ArrayList<String>();
        Trainer.of(
                        encoder,
                        AdamW.of(encoder.trainable()).lr(3e-3),
                        ContrastiveObjectives.infoNce(embedder(encoder), 0.1, true))
                .steps(30)
                .accumulation(2)
                .onWarning(warnings::add)
                .onStep(m -> losses.add(m.loss()))
                .run(epoch -> List.of(PAIRS, PAIRS));

        assertThat(losses.getLast()).isLessThan(0.5 * losses.getFirst());
        assertThat(warnings).anyMatch(text -> text.contains("not one large one"));
    }

    @Test
    void refuseRowsWithoutLabels() {
        var objective =
                ContrastiveObjectives.supervised(embedder(encoder()), SupConOptions.DEFAULT);
        assertThatThrownBy(() -> objective.loss(Encoders.batch(0, -100), Encoders.step(1, 10)))
                .hasMessageContaining("not each has one");
    }
}
