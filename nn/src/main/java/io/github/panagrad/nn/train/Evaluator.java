package io.github.panagrad.nn.train;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;

/// Measures how well a language model predicts held-out text.
public final class Evaluator {
    private final CausalLM model;

    private Evaluator(CausalLM model) {
        this.model = model;
    }

    /// Creates an evaluator.
    public static Evaluator of(CausalLM model) {
        return new Evaluator(model);
    }

    /// Computes the mean negative log-likelihood of all predicted tokens, each counting the same.
    ///
    /// Out of training mode, nothing recorded.
    ///
    /// @throws PanagradException if no token is predicted
    public Evaluation run(Iterable<Batch> batches) {
        boolean wasTraining = model.isTraining();
        model.training(false);
        double sum = 0;
        long tokens = 0;
        try {
            for (Batch batch : batches) {
                sum += Ops.scope(() -> Ops.noGrad(() -> summed(batch)));
                tokens += batch.predicted();
            }
        } finally {
            model.training(wasTraining);
        }
        if (tokens == 0) {
            throw new PanagradException(
                    "evaluate", "no token is predicted", "", "at least one label", "");
        }
        return new Evaluation(sum / tokens, tokens);
    }

    private double summed(Batch batch) {
        return model.loss(model.hidden(batch), batch, HeadOptions.DEFAULT, Reduction.SUM).item();
    }
}
