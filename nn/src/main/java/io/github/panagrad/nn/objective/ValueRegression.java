package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.ValueCoding;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.Map;

/// Predicts a number a row: a score, a rating, a length, by squared error or by classification into
/// bins.
///
/// Source: Farebrother et al. 2024, Stop Regressing, arXiv 2403.03950.
///
/// ```java
/// var coding = ValueCoding.hlGauss(0, 5, 51, 0.75);
/// var objective = ValueRegression.attach(encoder, embedder::embed, width, coding, seed);
/// ```
public final class ValueRegression implements Objective<ValueRegression.Valued> {
    private final Embedder embedder;
    private final Layer head;
    private final ValueCoding coding;

    /// Rows with the numbers to predict.
    ///
    /// @param input the rows
    /// @param values a number a row, F32 (B)
    public record Valued(BertInput input, Tensor values) {}

    /// Creates an objective.
    ///
    /// @param head turns a row's vector into the outputs of the coding
    public ValueRegression(Embedder embedder, Layer head, ValueCoding coding) {
        this.embedder = embedder;
        this.head = head;
        this.coding = coding;
    }

    /// Attaches a linear head to a model, as `value_head`, and creates the objective. Make the
    /// optimizer afterwards.
    ///
    /// @param width C, the width of the vectors
    /// @param seed of the head's weights
    public static ValueRegression attach(
            Module model, Embedder embedder, int width, ValueCoding coding, long seed) {
        var head = new Linear(width, coding.outputs(), Rng.of(seed));
        model.attach("value_head", head);
        return new ValueRegression(embedder, head, coding);
    }

    /// Returns the head, to be saved: a model's file leaves out what is attached.
    public Layer head() {
        return head;
    }

    /// Predicts. Shapes: ids (B, T) → (B).
    public Tensor predict(BertInput input, Context context) {
        return coding.values(outputs(input, context));
    }

    private Tensor outputs(BertInput input, Context context) {
        return head.call(embedder.embed(input, context), context);
    }

    @Override
    public LossTerm loss(Valued batch, Step step) {
        Tensor outputs = outputs(batch.input(), step.context());
        double[] values = batch.values().toDoubles();
        Tensor losses = coding.loss(outputs, values);
        double[] predicted = coding.values(outputs.detach()).toDoubles();
        double error = 0;
        for (int i = 0; i < values.length; i++) {
            error += Math.abs(predicted[i] - values[i]) / values.length;
        }
        return new LossTerm(
                losses.sum(), values.length, values.length, Map.of("absoluteError", error));
    }
}
