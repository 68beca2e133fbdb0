package io.github.panagrad.nn.drift;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.DistillOptions;
import io.github.panagrad.losses.HeadDistillation;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.metrics.Interval;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Answers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/// What a language model predicts for some texts, kept to be compared with what it predicts once it has
/// been trained.
///
/// Of each predicted token the last hidden state is kept, and one copy of the head: no logits. A second
/// model is not needed.
///
/// ```java
/// var before = Predictions.of(model, batches);
/// // … training …
/// Drift drift = before.driftOf(model);
/// ```
public final class Predictions {
    private static final int RESAMPLES = 1000;
    private static final double LEVEL = 0.95;

    private final List<Batch> batches;
    private final Tensor head;
    private final List<Said> said;

    /// What is said of the predicted tokens of one batch, and of which text each is.
    ///
    /// Shapes: states (N, C), nll, choices and owners (N).
    private record Said(Tensor states, double[] nll, int[] choices, int[] owners) {}

    private Predictions(List<Batch> batches, Tensor head, List<Said> said) {
        this.batches = batches;
        this.head = head;
        this.said = said;
    }

    /// Asks a model, out of training mode and without recording.
    ///
    /// @throws PanagradException if no token is predicted, or `lm_head` is intercepted
    public static Predictions of(CausalLM model, Iterable<Batch> texts) {
        var batches = new ArrayList<Batch>();
        texts.forEach(batch -> {
            if (batch.predicted() > 0) {
                batches.add(batch);
            }
        });
        if (batches.isEmpty()) {
            throw new PanagradException(
                    "predictions", "no token is predicted", "", "at least one label", "");
        }
        return quietly(
                model,
                () -> {
                    var said = new ArrayList<Said>();
                    for (Batch batch : batches) {
                        Said s = Ops.scope(() -> ask(model, batch));
                        said.add(s);
                    }
                    return new Predictions(
                            List.copyOf(batches), model.head().detach().copy().keep(), said);
                });
    }

    private static <T> T quietly(CausalLM model, Supplier<T> body) {
        boolean wasTraining = model.isTraining();
        model.training(false);
        try {
            return Ops.noGrad(body);
        } finally {
            model.training(wasTraining);
        }
    }

    private static Said ask(CausalLM model, Batch batch) {
        Answers answers = Answers.of(batch);
        Tensor states = answers.states(model.hidden(batch, Context.EMPTY));
        int[] targets = Arrays.stream(batch.targets()).filter(t -> t != Example.IGNORED).toArray();
        var losses =
                Losses.perToken(
                        states,
                        model.head(),
                        Ops.indices(targets, targets.length),
                        HeadOptions.DEFAULT,
                        false,
                        true);
        return new Said(
                states.keep(),
                losses.nll().toDoubles(),
                Objects.requireNonNull(losses.argMax()).toInts(),
                answers.owners());
    }

    /// Compares what the model predicts now, with the mean difference of the losses bootstrapped over
    /// texts, a thousand times.
    ///
    /// @param tuned the same model, or another with the same vocabulary
    public Drift driftOf(CausalLM tuned) {
        return quietly(tuned, () -> compare(tuned));
    }

    private Drift compare(CausalLM tuned) {
        var before = new ArrayList<Double>();
        var after = new ArrayList<Double>();
        var counts = new ArrayList<Integer>();
        double divergence = 0;
        long agreed = 0;
        for (int i = 0; i < batches.size(); i++) {
            Batch batch = batches.get(i);
            Said then = said.get(i);
            Said now = Ops.scope(() -> ask(tuned, batch));
            divergence += Ops.scope(() -> divergence(then, now, tuned));
            double[] sumBefore = new double[batch.sequences().size()];
            double[] sumAfter = new double[sumBefore.length];
            int[] tokens = new int[sumBefore.length];
            for (int t = 0; t < then.nll.length; t++) {
                int owner = then.owners[t];
                sumBefore[owner] += then.nll[t];
                sumAfter[owner] += now.nll[t];
                tokens[owner]++;
                agreed += then.choices[t] == now.choices[t] ? 1 : 0;
            }
            for (int s = 0; s < tokens.length; s++) {
                if (tokens[s] > 0) {
                    before.add(sumBefore[s]);
                    after.add(sumAfter[s]);
                    counts.add(tokens[s]);
                }
            }
        }
        int[] all = counts.stream().mapToInt(Integer::intValue).toArray();
        long tokens = Arrays.stream(all).asLongStream().sum();
        Interval change =
                Interval.bootstrap(
                        all.length,
                        rows -> (mean(rows, after, all) - mean(rows, before, all)),
                        RESAMPLES,
                        LEVEL,
                        0);
        double lossBefore = before.stream().mapToDouble(d -> d).sum() / tokens;
        return new Drift(
                tokens,
                all.length,
                lossBefore,
                change,
                divergence / tokens,
                agreed / (double) tokens);
    }

    private double divergence(Said then, Said now, CausalLM tuned) {
        return HeadDistillation.perToken(
                        now.states, tuned.head(), then.states, head, DistillOptions.DEFAULT)
                .sum()
                .item();
    }

    /// Returns the mean over the tokens of some texts, which may come several times.
    private static double mean(int[] rows, List<Double> sums, int[] counts) {
        double sum = 0;
        long tokens = 0;
        for (int row : rows) {
            sum += sums.get(row);
            tokens += counts[row];
        }
        return sum / tokens;
    }
}
