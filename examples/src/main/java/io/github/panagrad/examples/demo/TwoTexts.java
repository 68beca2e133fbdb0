package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.ExampleReader;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Evaluator;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A model, a text that it is to learn and one of the kind that it knows: the ground of demonstrations
/// of forgetting.
///
/// Nine tenths of the target are trained on, in windows of 128 tokens, four a step; losses are measured
/// on windows spread over the last tenth, and over the control.
///
/// @param model folder of the model
/// @param target the text to learn
/// @param control the text not to forget
/// @param windows how many windows of each are measured on
public record TwoTexts(Path model, Path target, Path control, int windows) {
    private static final int LENGTH = 128;
    private static final int ROWS = 4;

    /// Loads the model, all of it ready to be trained.
    CausalLM load() {
        CausalLM fresh = CausalLM.load(model);
        fresh.to(DType.F32);
        fresh.unfreeze();
        return fresh;
    }

    private static Dataset windows(CausalLM of, Path text) {
        return ExampleReader.of(of.tokenizer())
                .vocabSize(of.config().vocabSize())
                .context(of.config().maxPositions())
                .seqLen(Math.min(LENGTH, of.config().maxPositions()))
                .read(text);
    }

    /// Returns the windows that losses on the target are measured on.
    List<Batch> heldOut(CausalLM of) {
        List<Example> all = windows(of, target).examples();
        return spread(all.subList(all.size() * 9 / 10, all.size()));
    }

    /// Returns the windows that losses on the control are measured on.
    List<Batch> known(CausalLM of) {
        return spread(windows(of, control).examples());
    }

    private List<Batch> spread(List<Example> all) {
        int count = Math.min(windows, all.size());
        var some = new ArrayList<Example>();
        for (int i = 0; i < count; i++) {
            some.add(all.get((int) ((long) i * all.size() / count)));
        }
        var batches = new ArrayList<Batch>();
        Batches.of(some).size(ROWS).forEach(batches::add);
        return batches;
    }

    /// Trains what of a model is trainable, looking at the losses now and then.
    ///
    /// @param every after how many steps to look
    /// @param goal the target loss at which to stop, 0 to train all steps
    /// @return both losses, before the first step and at each look
    TradeOff train(CausalLM of, double lr, int steps, int every, double goal, long seed) {
        List<Example> all = windows(of, target).examples();
        var training = Dataset.of(all.subList(0, all.size() * 9 / 10));
        List<Batch> heldOut = heldOut(of);
        List<Batch> known = known(of);
        var looks = new ArrayList<TradeOff.Point>();
        looks.add(new TradeOff.Point(0, loss(of, heldOut), loss(of, known)));
        Trainer.of(of, AdamW.of(of.trainable()).lr(lr), Objectives.nextToken(of))
                .steps(steps)
                .maxGradNorm(1)
                .seed(seed)
                .every(
                        every,
                        step ->
                                looks.add(
                                        new TradeOff.Point(
                                                step, loss(of, heldOut), loss(of, known))))
                .stopWhen(() -> looks.getLast().target() <= goal)
                .run(BatchSource.of(Batches.of(training).size(ROWS).shuffled(seed).endless()));
        return new TradeOff(looks);
    }

    static double loss(CausalLM of, List<Batch> batches) {
        return Evaluator.of(of).run(batches).loss();
    }
}
