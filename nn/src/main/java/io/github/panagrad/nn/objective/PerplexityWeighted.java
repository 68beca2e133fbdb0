package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.NllLosses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.Arrays;
import java.util.Map;

/// Predicts each next token, badly predicted ones counting for more: Σ (1 + λ·w)·ℓ over the tokens,
/// where w grows with exp(ℓ), has mean 1 in its scope, and is a constant.
///
/// Reports the plain cross-entropy and the share of all weight that the heaviest hundredth of the
/// tokens has. Source: LAMO, arXiv 2604.13488; α, λ, ε and the scope are our choice.
///
/// ```java
/// var objective = PerplexityWeighted.of(model).alpha(4);
/// ```
///
/// @param model what trains
/// @param alpha α, at least 0, where all weights are 1
/// @param lambda λ, at least 0, where only the plain part is left
/// @param epsilon what is added to the mean perplexity
/// @param maxNll what ℓ is cut to in the weights, in nats, so that one token does not take them all
/// @param scope over which tokens weights are compared
/// @param listener given each predicted token with its weight
public record PerplexityWeighted(
        CausalLM model,
        double alpha,
        double lambda,
        double epsilon,
        double maxNll,
        Scope scope,
        Listener listener)
        implements Objective<Batch> {
    /// Over which tokens weights are compared.
    public enum Scope {
        /// Those of the same sequence: whatever it shares a batch with.
        SEQUENCE,
        /// Those of the same batch.
        BATCH
    }

    /// Hears which tokens weigh how much.
    @FunctionalInterface
    public interface Listener {
        /// Called for each predicted token of a batch.
        ///
        /// @param token its id
        /// @param weight w
        void weighed(int token, double weight);
    }

    /// Checks the ranges.
    public PerplexityWeighted {
        if (!(alpha >= 0 && lambda >= 0 && epsilon >= 0 && maxNll > 0)) {
            throw new PanagradException(
                    "perplexityWeighted",
                    "out of range",
                    "alpha "
                            + alpha
                            + ", lambda "
                            + lambda
                            + ", epsilon "
                            + epsilon
                            + ", maxNll "
                            + maxNll,
                    "all at least 0, maxNll above",
                    "");
        }
    }

    /// Creates the objective with α 1, λ 1, ε 1e-6 and ℓ cut to 8 nats, a sequence at a time.
    public static PerplexityWeighted of(CausalLM model) {
        return new PerplexityWeighted(model, 1, 1, 1e-6, 8, Scope.SEQUENCE, (token, weight) -> {});
    }

    /// Returns the same with another α.
    public PerplexityWeighted alpha(double value) {
        return new PerplexityWeighted(model, value, lambda, epsilon, maxNll, scope, listener);
    }

    /// Returns the same with another λ.
    public PerplexityWeighted lambda(double value) {
        return new PerplexityWeighted(model, alpha, value, epsilon, maxNll, scope, listener);
    }

    /// Returns the same with ℓ cut elsewhere in the weights.
    public PerplexityWeighted maxNll(double value) {
        return new PerplexityWeighted(model, alpha, lambda, epsilon, value, scope, listener);
    }

    /// Returns the same with weights compared over other tokens.
    public PerplexityWeighted scope(Scope value) {
        return new PerplexityWeighted(model, alpha, lambda, epsilon, maxNll, value, listener);
    }

    /// Returns the same with a listener to the weights of tokens, such as
    /// [io.github.panagrad.nn.metrics.HeavyTokens].
    public PerplexityWeighted onWeight(Listener value) {
        return new PerplexityWeighted(model, alpha, lambda, epsilon, maxNll, scope, value);
    }

    @Override
    public boolean isAccumulationInvariant() {
        return scope == Scope.SEQUENCE;
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        var predicted = PredictedTokens.of(model, batch, step.context());
        Tensor nll = predicted.nll();
        int count = batch.predicted();
        if (count == 0) {
            return LossTerm.of(nll.sum(), 0);
        }
        int[] scopes = predicted.owners();
        if (scope == Scope.BATCH) {
            scopes = Arrays.stream(scopes).map(owner -> Math.min(owner, 0)).toArray();
        }
        Tensor weights = NllLosses.perplexityWeights(nll.detach(), scopes, alpha, epsilon, maxNll);
        Tensor sum = nll.mul(weights.mul(lambda).add(1)).sum();
        report(batch.targets(), weights.toDoubles());
        double plain = nll.detach().sum().item() / count;
        return new LossTerm(
                sum, count, count, Map.of("ce", plain, "heaviest_share", heaviest(weights, count)));
    }

    private void report(int[] targets, double[] weights) {
        for (int i = 0; i < targets.length; i++) {
            if (targets[i] != Example.IGNORED) {
                listener.weighed(targets[i], weights[i]);
            }
        }
    }

    private static double heaviest(Tensor weights, int count) {
        double[] sorted = weights.toDoubles();
        Arrays.sort(sorted);
        double top = 0;
        for (int i = 0; i < Math.ceilDiv(count, 100); i++) {
            top += sorted[sorted.length - 1 - i];
        }
        return top / Arrays.stream(sorted).sum();
    }
}
