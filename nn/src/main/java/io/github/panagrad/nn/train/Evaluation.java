package io.github.panagrad.nn.train;

/// How well a language model predicts some text.
///
/// @param loss mean negative log-likelihood of the predicted tokens, in nats
/// @param tokens how many tokens were predicted
public record Evaluation(double loss, long tokens) {
    /// Returns e to the loss: how many equally likely tokens would be as hard to predict.
    public double perplexity() {
        return Math.exp(loss);
    }
}
