package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.Preference;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A small model in F64, and answers to made-up prompts.
final class TinyPreferences {
    static final int PAIRS = 8;

    private TinyPreferences() {}

    static CausalLM model(long seed) {
        var model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), seed);
        model.to(DType.F64);
        return model;
    }

    static Step step(long number, int epoch) {
        return new Step(number, 0, epoch, Context.of(Rng.of(number)));
    }

    static Step step() {
        return step(1, 0);
    }

    private static Example answer(int prompt, long seed, int length, int tag) {
        int[] ids = Arrays.copyOf(TinyModels.ids(prompt, 1, 3).toInts(), 3 + length);
        System.arraycopy(TinyModels.ids(seed, 1, length).toInts(), 0, ids, 3, length);
        int[] labels = ids.clone();
        Arrays.fill(labels, 0, 3, Example.IGNORED);
        return new Example(ids, labels, tag);
    }

    /// Returns pairs of answers of several lengths.
    static List<Example> pairs() {
        var examples = new ArrayList<Example>();
        for (int i = 0; i < PAIRS; i++) {
            examples.add(answer(i, 100 + i, 2 + i % 3, Preference.chosen(i)));
            examples.add(answer(i, 200 + i, 4 - i % 3, Preference.rejected(i)));
        }
        return examples;
    }

    /// Returns good and bad answers, each followed by one to another prompt.
    static List<Example> marked() {
        var examples = new ArrayList<Example>();
        for (int i = 0; i < PAIRS; i++) {
            int tag = i % 3 == 0 ? Preference.BAD : Preference.GOOD;
            examples.add(answer(i, 100 + i, 3, tag));
            examples.add(answer(i, 100 + (i + 1) % PAIRS, 3, Preference.MISMATCHED));
        }
        return examples;
    }

    static Batch whole(List<Example> examples) {
        return Batches.of(examples).grouped(2).size(PAIRS).cursor().next();
    }

    /// Moves a model's weights a little, the same way for the same seed.
    static void disturb(CausalLM model, long seed) {
        Rng rng = Rng.of(seed);
        for (Parameter p : model.trainable()) {
            p.assign(p.detach().add(Ops.randn(rng, p.shape().toArray()).to(DType.F64).mul(0.05)));
        }
    }

    /// Returns the gradients of the mean loss over some batches, and the loss at the end.
    static <B> double[] gradients(Objective<B> objective, CausalLM model, Iterable<B> batches) {
        Grads all = null;
        double sum = 0;
        double count = 0;
        for (B batch : batches) {
            LossTerm term = objective.loss(batch, step());
            Grads grads = term.sum().backward();
            all = all == null ? grads : all.accumulate(grads);
            sum += term.sum().item();
            count += term.count();
        }
        if (all == null) {
            throw new AssertionError("no batches");
        }
        var values = new ArrayList<double[]>();
        for (Parameter p : model.trainable()) {
            values.add(all.get(p).mul(1 / count).toDoubles());
        }
        values.add(new double[] {sum / count});
        return values.stream().flatMapToDouble(Arrays::stream).toArray();
    }
}
