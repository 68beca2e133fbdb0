package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.nn.data.Batches;
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
import java.util.stream.IntStream;

/// A model, a text that it is to learn and one of the kind that it knows: the ground of demonstrations
/// of forgetting.
///
/// Nine tenths of the target are trained on, in windows of 128 tokens, four a step; losses are measured
/// on windows spread over the last tenth, and over the control.
///
/// @param model folder of the model
/// @param training windows to learn
/// @param heldOut windows of the same text that losses are measured on
/// @param known windows not to forget
/// @param others windows of the same text as those, which losses are not measured on
public record TwoTexts(
        Path model,
        List<Example> training,
        List<Example> heldOut,
        List<Example> known,
        List<Example> others) {
    private static final int LENGTH = 128;
    private static final int ROWS = 4;

    /// Cuts two texts into windows.
    ///
    /// @param model folder of the model
    /// @param target the text to learn
    /// @param control the text not to forget
    /// @param windows how many windows of each are measured on
    public static TwoTexts of(Path model, Path target, Path control, int windows) {
        CausalLM of = CausalLM.load(model);
        List<Example> all = windows(of, target);
        int training = all.size() * 9 / 10;
        List<Example> controls = windows(of, control);
        List<Example> known = spread(controls, windows);
        return new TwoTexts(
                model,
                all.subList(0, training),
                spread(all.subList(training, all.size()), windows),
                known,
                controls.stream().filter(window -> !known.contains(window)).toList());
    }

    /// Takes stories260k, which is to learn Shakespeare and not to forget stories.
    static TwoTexts of(Trial trial) {
        return of(
                trial.path("models/stories260k"),
                trial.path("datasets/tinyshakespeare/input.txt"),
                trial.path("datasets/tinystories/sample.txt"),
                trial.rows(24));
    }

    private static List<Example> windows(CausalLM of, Path text) {
        return ExampleReader.of(of.tokenizer())
                .vocabSize(of.config().vocabSize())
                .context(of.config().maxPositions())
                .seqLen(Math.min(LENGTH, of.config().maxPositions()))
                .read(text)
                .examples();
    }

    private static List<Example> spread(List<Example> all, int windows) {
        int count = Math.min(windows, all.size());
        return IntStream.range(0, count)
                .mapToObj(i -> all.get((int) ((long) i * all.size() / count)))
                .toList();
    }

    /// Loads the model, all of it ready to be trained.
    CausalLM load() {
        CausalLM fresh = CausalLM.load(model);
        fresh.to(DType.F32);
        fresh.unfreeze();
        return fresh;
    }

    /// Measures both losses.
    ///
    /// @param at the setting or step
    TradeOff.Point measure(CausalLM of, double at) {
        return new TradeOff.Point(at, loss(of, heldOut), loss(of, known));
    }

    /// Trains what of a model is trainable, looking at the losses now and then.
    ///
    /// @param every after how many steps to look, or after all if there are fewer
    /// @param goal the target loss at which to stop, 0 to train all steps
    /// @return both losses, before the first step and at each look
    TradeOff train(CausalLM of, double lr, int steps, int every, double goal, long seed) {
        var looks = new ArrayList<TradeOff.Point>();
        looks.add(measure(of, 0));
        Trainer.of(of, AdamW.of(of.trainable()).lr(lr), Objectives.nextToken(of))
                .steps(steps)
                .maxGradNorm(1)
                .seed(seed)
                .every(Math.min(every, steps), step -> looks.add(measure(of, step)))
                .stopWhen(() -> looks.getLast().target() <= goal)
                .run(BatchSource.of(Batches.of(training).size(ROWS).shuffled(seed).endless()));
        return new TradeOff(looks);
    }

    /// Returns the mean loss of a token of some windows.
    static double loss(CausalLM of, List<Example> windows) {
        return Evaluator.of(of).run(Batches.of(windows).size(ROWS)).loss();
    }
}
