package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.InputCorruption;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.Evaluator;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Step;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MaskedThoughtTest {
    private static final int MASK = 0;
    private static final InputCorruption EVERYTHING =
            InputCorruption.of(MASK, TinyModels.VOCABULARY, 1).rate(1).warmup(0);

    private static CausalLM model() {
        return CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
    }

    /// Token 9 occurs once, in the answer.
    private static Batch batch() {
        int none = Example.IGNORED;
        int[] ids = {1, 4, 5, 9, 7, 8};
        return Batches.of(List.of(new Example(ids, new int[] {none, none, 5, 9, 7, 8}, 0)))
                .iterator()
                .next();
    }

    @Test
    void withoutARateItIsTheObjectiveItself() {
        var model = model();
        var objective = Objectives.nextToken(model);
        var masked = new MaskedThought(objective, EVERYTHING.rate(0));
        var step = new Step(50, 100, 0, Context.EMPTY);
        assertThat(masked.loss(batch(), step).sum().item())
                .isEqualTo(objective.loss(batch(), step).sum().item());
        // The rate rises from 0: the first step is a plain one.
        var rising = new MaskedThought(objective, EVERYTHING.warmup(0.66));
        var first = new Step(1, 100, 0, Context.EMPTY);
        assertThat(rising.loss(batch(), first).sum().item())
                .isEqualTo(objective.loss(batch(), first).sum().item());
        assertThat(rising.loss(batch(), step).sum().item())
                .isNotEqualTo(objective.loss(batch(), step).sum().item());
    }

    @Test
    void aHiddenTokenGetsNoGradientFromItsPlaceAndTheMaskDoes() {
        var model = model();
        var step = new Step(1, 10, 0, Context.EMPTY);
        var table = model.parameters().get("model.embed_tokens.weight");
        var plain = Objectives.nextToken(model).loss(batch(), step).sum().backward().get(table);
        var masked =
                new MaskedThought(Objectives.nextToken(model), EVERYTHING)
                        .loss(batch(), step)
                        .sum()
                        .backward()
                        .get(table);
        int width = 16;
        double before = 0;
        double after = 0;
        double mask = 0;
        for (int c = 0; c < width; c++) {
            before += Math.abs(plain.toFloats()[9 * width + c]);
            after += Math.abs(masked.toFloats()[9 * width + c]);
            mask += Math.abs(masked.toFloats()[MASK * width + c]);
        }
        assertThat(before).isPositive();
        assertThat(after).isZero();
        assertThat(mask).isPositive();
    }

    /// The inputs of training are copies, and what is measured beside it sees none of them.
    @Test
    void evaluationNeverCorrupts() {
        var model = model();
        Batch batch = batch();
        int[] ids = batch.ids().clone();
        var seen = new ArrayList<int[]>();
        var listening =
                new MaskedThought(
                        (corrupted, step) -> {
                            seen.add(corrupted.ids().clone());
                            return Objectives.nextToken(model).loss(corrupted, step);
                        },
                        EVERYTHING);
        double before = Evaluator.of(model).run(List.of(batch)).loss();
        var measured = new ArrayList<Double>();
        var clean = new ArrayList<Double>();
        Trainer.of(model, AdamW.of(model.trainable()).lr(1e-2), listening)
                .steps(3)
                .onStep(m -> {
                    measured.add(Evaluator.of(model).run(List.of(batch)).loss());
                    Batch fresh = batch();
                    clean.add(
                            Ops.noGrad(() ->
                                    Objectives.nextToken(model)
                                            .loss(fresh, new Step(1, 1, 0, Context.EMPTY))
                                            .sum()
                                            .item())
                                    / fresh.predicted());
                })
                .run(epoch -> List.of(batch));
        assertThat(seen).hasSize(3).allSatisfy(fed -> assertThat(fed).contains(MASK));
        assertThat(batch.ids()).isEqualTo(ids);
        assertThat(measured).hasSize(3).doesNotContain(before);
        for (int i = 0; i < 3; i++) {
            assertThat(measured.get(i)).isCloseTo(clean.get(i), offset(1e-6));
        }
    }

    @Test
    void packedRowsLearnLikePaddedOnes() {
        CausalLM model = TinyPreferences.model(5);
        var corruption = InputCorruption.of(MASK, TinyModels.VOCABULARY, 3).rate(0.6).warmup(0);
        var objective = new MaskedThought(Objectives.nextToken(model), corruption);
        Batches batches = Batches.of(TinyPreferences.pairs());
        double[] padded = TinyPreferences.gradients(objective, model, batches.size(16));
        assertThat(TinyPreferences.gradients(objective, model, batches.size(16).packed(32)))
                .containsExactly(padded, offset(1e-9));
        assertThat(TinyPreferences.gradients(objective, model, batches.size(3)))
                .containsExactly(padded, offset(1e-9));
        var clean = Objectives.nextToken(model);
        assertThat(TinyPreferences.gradients(clean, model, batches.size(16))).isNotEqualTo(padded);
    }

    @Test
    void whatItsObjectiveRemembersIsSaved() {
        var loaded = new ArrayList<Map<String, Tensor>>();
        var state = Map.of("seen", Ops.tensor(1, 2));
        var remembering =
                new Objective<Batch>() {
                    @Override
                    public LossTerm loss(Batch batch, Step step) {
                        throw new AssertionError();
                    }

                    @Override
                    public Map<String, Tensor> state() {
                        return state;
                    }

                    @Override
                    public void load(Map<String, Tensor> saved) {
                        loaded.add(saved);
                    }
                };
        var masked = new MaskedThought(remembering, EVERYTHING);
        assertThat(masked.state()).isSameAs(state);
        masked.load(masked.state());
        assertThat(loaded).containsExactly(state);
    }
}
