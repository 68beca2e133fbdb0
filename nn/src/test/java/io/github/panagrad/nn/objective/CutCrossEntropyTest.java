package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CutCrossEntropyTest {
    private static final Step STEP = new Step(1, 10, 0, Context.EMPTY);

    private static CausalLM model() {
        return CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
    }

    private static Batch batch(boolean predicts) {
        var examples = new ArrayList<Example>();
        for (int i = 0; i < 4; i++) {
            int[] ids = TinyModels.ids(i, 1, 8).toInts();
            int[] labels = ids.clone();
            Arrays.fill(labels, 0, predicts ? 2 : labels.length, Example.IGNORED);
            examples.add(new Example(ids, labels, 0));
        }
        return Batches.of(examples).size(4).iterator().next();
    }

    @Test
    void withoutAFilterItIsTheNextTokensCrossEntropy() {
        CausalLM model = model();
        Batch batch = batch(true);
        LossTerm plain = Objectives.nextToken(model).loss(batch, STEP);
        LossTerm term = CutCrossEntropy.of(model, HeadOptions.DEFAULT).loss(batch, STEP);
        assertThat(term.sum().item()).isEqualTo(plain.sum().item());
        assertThat(term.count()).isEqualTo(plain.count());
        assertThat(term.report().get("ce"))
                .isCloseTo(plain.sum().item() / plain.count(), offset(1e-5));
        assertThat(term.report()).doesNotContainKey("dropped");
    }

    @Test
    void reportsWhatWasDroppedAndTheMeanSquareOfLogSumExps() {
        CausalLM model = model();
        Batch batch = batch(true);
        var filter = HeadOptions.DEFAULT.filter(HeadFilter.below(0.02));
        LossTerm plain = CutCrossEntropy.of(model, filter).loss(batch, STEP);
        LossTerm held = CutCrossEntropy.of(model, filter.zLoss(0.1)).loss(batch, STEP);
        assertThat(plain.report().get("dropped")).isBetween(1e-3, 0.9);
        double squares = (held.sum().item() - plain.sum().item()) / 0.1 / plain.count();
        assertThat(squares).isCloseTo(plain.report().get("lse2"), offset(1e-3));
        assertThat(held.report().get("ce")).isEqualTo(plain.report().get("ce"));
    }

    @Test
    void everyParameterGetsAGradient() {
        CausalLM model = model();
        var grads = CutCrossEntropy.of(model, HeadOptions.CUT).loss(batch(true), STEP);
        var all = grads.sum().backward();
        for (Parameter p : model.trainable()) {
            assertThat(all.get(p).abs().sum().item()).as(p.name()).isFinite().isPositive();
        }
    }

    @Test
    void aBatchThatPredictsNothingCostsNothing() {
        for (var options : List.of(HeadOptions.DEFAULT, HeadOptions.CUT)) {
            LossTerm term = CutCrossEntropy.of(model(), options).loss(batch(false), STEP);
            assertThat(term.sum().item()).isZero();
            assertThat(term.count()).isZero();
        }
    }
}
