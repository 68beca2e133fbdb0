package io.github.panagrad.nn.drift;

import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.metrics.Interval;
import java.util.Locale;

/// How far training has moved what a model says of some texts.
///
/// @param tokens how many tokens were predicted
/// @param texts how many texts they are of
/// @param before the mean negative log-likelihood of a token before training, in nats
/// @param change how much that has grown, with the 95 % interval of a paired bootstrap over texts
/// @param divergence the mean KL(before ‖ after) of a token, in nats
/// @param agreement for which share of the tokens both find the same one likeliest
public record Drift(
        long tokens,
        int texts,
        double before,
        Interval change,
        double divergence,
        double agreement) {
    /// Returns the mean negative log-likelihood of a token after training.
    public double after() {
        return before + change.value();
    }

    /// Tells whether the interval of the change excludes zero.
    public boolean isClear() {
        return !change.contains(0);
    }

    /// Returns all figures.
    public JsonObject toJson() {
        return JsonObject.of(
                "tokens", tokens,
                "texts", texts,
                "loss_before", before,
                "loss_after", after(),
                "change", change.value(),
                "change_low", change.low(),
                "change_high", change.high(),
                "divergence", divergence,
                "agreement", agreement);
    }

    /// Returns the figures in a line.
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "loss %.4f -> %.4f (%+.4f, 95 %% %+.4f to %+.4f%s), KL %.4f, agreement %.3f,"
                        + " %d tokens of %d texts",
                before,
                after(),
                change.value(),
                change.low(),
                change.high(),
                isClear() ? "" : ", not clear",
                divergence,
                agreement,
                tokens,
                texts);
    }
}
