package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.ExampleReader;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.PointLoss;
import io.github.panagrad.nn.objective.Pointwise;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Learns a little text by heart and asks how sure the model is of other text: label smoothing, focal
/// loss and poly-1 beside cross-entropy.
final class CalibrationDemo implements Demonstration {
    private static final String LOSS = "held-out loss";
    private static final String ACCURACY = "accuracy";
    private static final String ERROR = "calibration error";
    private static final int WINDOW = 64;
    private static final int WINDOWS = 32;

    @Override
    public String name() {
        return "calibration";
    }

    @Override
    public List<String> shows() {
        return List.of("smoothed", "focal", "poly1");
    }

    @Override
    public String setting() {
        return "stories260k, all parameters, learns 32 windows of 64 tokens of Shakespeare in 60"
                + " steps of 8 windows; measured on 100 others. The calibration error is that of the"
                + " likeliest tokens over 15 bins.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower("label smoothing 0.1", ERROR, "label smoothing is better calibrated"),
                Claim.lower("focal γ 2", ERROR, "focal loss is better calibrated"),
                Claim.higher("poly-1 ε 1", ACCURACY, "poly-1 is right more often"));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        Map<String, Function<CausalLM, Objective<Batch>>> arms = new LinkedHashMap<>();
        arms.put("cross-entropy", Objectives::nextToken);
        arms.put(
                "label smoothing 0.1",
                m -> Objectives.nextToken(m, HeadOptions.DEFAULT.labelSmoothing(0.1)));
        arms.put("focal γ 2", m -> Pointwise.nextToken(m, PointLoss.focal(2)));
        arms.put("poly-1 ε 1", m -> Pointwise.nextToken(m, PointLoss.poly1(1)));
        List<Example> windows =
                ExampleReader.of(trial.model("stories260k").tokenizer())
                        .seqLen(WINDOW)
                        .read(trial.path("datasets/tinyshakespeare/input.txt"))
                        .examples();
        // Each seed learns another stretch; all are asked about the end of the text.
        int from = (int) trial.seed() * WINDOWS;
        List<Example> train = windows.subList(from, from + trial.rows(WINDOWS));
        List<Example> test =
                trial.rows(windows.subList(windows.size() - 101, windows.size() - 1), 100);
        arms.forEach((arm, objective) -> {
            CausalLM model = trial.model("stories260k");
            new TextTraining(trial.steps(60), 8, 3e-3)
                    .run(model, objective.apply(model), Batches.of(train), trial.seed());
            List<TokenScore> scores = TokenScore.of(model, test);
            figures.add(arm, LOSS, TokenScore.loss(scores));
            figures.add(arm, ACCURACY, TokenScore.accuracy(scores));
            figures.add(arm, ERROR, TokenScore.calibrationError(scores));
        });
    }
}
