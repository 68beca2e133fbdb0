package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.NllLosses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/// Objectives over next tokens that are functions of each token's negative log-likelihood ℓ.
///
/// The head gives ℓ in blocks of the vocabulary, so that logits are never built; any such objective
/// takes the memory of plain cross-entropy. All divide by the number of tokens predicted, and report
/// the plain mean of ℓ as `nll`.
///
/// ```java
/// Trainer.of(model, optimizer, TokenObjectives.focal(model, 2))
/// ```
public final class TokenObjectives {
    private TokenObjectives() {}

    /// Applies a function to each token's ℓ, elementwise and with f(0) = 0, as ignored tokens have it.
    public static Objective<Batch> of(CausalLM model, UnaryOperator<Tensor> f) {
        return (batch, step) -> {
            Tensor nll = nll(model, batch, model.hidden(batch, step.context()));
            return term(f.apply(nll).sum(), nll, batch);
        };
    }

    /// Computes each position's ℓ, 0 where it is ignored. Shapes: hidden (B, T, C) → (B · T).
    static Tensor nll(CausalLM model, Batch batch, Tensor hidden) {
        Tensor targets = Ops.indices(batch.targets(), batch.size(), batch.length());
        HeadOptions options = HeadOptions.DEFAULT.ignoreIndex(Example.IGNORED);
        return Losses.perToken(hidden, model.head(), targets, options, false, false)
                .nll()
                .reshape(-1);
    }

    private static LossTerm term(Tensor sum, Tensor nll, Batch batch) {
        int count = batch.predicted();
        double mean = count == 0 ? 0 : Ops.noGrad(() -> nll.sum().item()) / count;
        return new LossTerm(sum, count, count, Map.of("nll", mean));
    }

    /// Counts what is already likely for less, (1 − p)^γ·ℓ (focal loss, Lin et al.,
    /// arXiv 1708.02002, eq. 4).
    ///
    /// @param gamma at least 0; 2 in the paper, 0 is plain cross-entropy
    public static Objective<Batch> focal(CausalLM model, double gamma) {
        return of(model, nll -> NllLosses.focal(nll, gamma));
    }

    /// Adds ε·(1 − p) to ℓ (poly-1, Leng et al., arXiv 2204.12511).
    public static Objective<Batch> poly1(CausalLM model, double epsilon) {
        return of(model, nll -> NllLosses.poly1(nll, epsilon));
    }

    /// Pulls less at what may be a wrong label, (1 − p^q)/q (generalised cross-entropy, Zhang and
    /// Sabuncu, arXiv 1805.07836, eq. 6).
    ///
    /// @param q from 0, plain cross-entropy, to 1; 0.7 in the paper
    /// @param k likelihoods below it have no gradient; 0 for all
    public static Objective<Batch> generalizedCrossEntropy(CausalLM model, double q, double k) {
        return of(model, nll -> NllLosses.generalizedCrossEntropy(nll, q, k));
    }

    /// Mixes cross-entropy with its reverse, a·ℓ − b·A·(1 − p) (symmetric cross-entropy, Wang et al.,
    /// arXiv 1908.06112, eq. 6 to 8).
    ///
    /// @param logZero A, what stands for the logarithm of 0; −4 in the paper
    public static Objective<Batch> symmetricCrossEntropy(
            CausalLM model, double a, double b, double logZero) {
        return of(model, nll -> NllLosses.symmetricCrossEntropy(nll, a, b, logZero));
    }

    /// Which tokens a perplexity is compared with.
    public enum Scope {
        /// Those of the same sequence.
        SEQUENCE,
        /// Those of the same row.
        ROW,
        /// All of the batch.
        BATCH
    }

    /// Counts surprising tokens for more, (1 + λ·w)·ℓ with weights w that grow with the perplexity of
    /// a token (perplexity-weighted cross-entropy, LAMO, arXiv 2604.13488).
    ///
    /// @param lambda how much the weights count; 0 is plain cross-entropy
    /// @param alpha how much they grow
    /// @param scope what a token is compared with; a batch's loss depends on how it was put together
    ///     if that is the batch
    public static Objective<Batch> perplexityWeighted(
            CausalLM model, double lambda, double alpha, Scope scope) {
        if (!(lambda >= 0)) {
            throw new PanagradException(
                    "perplexityWeighted", "lambda out of range", "" + lambda, "at least 0", "");
        }
        return new PerplexityWeighted(model, lambda, alpha, scope);
    }

    private record PerplexityWeighted(CausalLM model, double lambda, double alpha, Scope scope)
            implements Objective<Batch> {
        /// Keeps a mean from being divided by next to nothing.
        private static final double EPSILON = 1e-6;

        /// What ℓ is cut to in the weights, so that one token does not take them all.
        private static final double MOST = 8;

        @Override
        public LossTerm loss(Batch batch, Step step) {
            Tensor nll = nll(model, batch, model.hidden(batch, step.context()));
            Tensor weights =
                    NllLosses.perplexityWeights(nll.detach(), scopes(batch), alpha, EPSILON, MOST);
            Tensor loss = nll.mul(weights.mul(lambda).add(1)).sum();
            return term(loss, nll, batch);
        }

        /// Returns for each position the number of its scope, −1 where it is ignored.
        private int[] scopes(Batch batch) {
            int[] scopes = new int[batch.ids().length];
            int number = 0;
            for (Batch.Sequence s : batch.sequences()) {
                int from = s.row() * batch.length() + s.start();
                int id =
                        switch (scope) {
                            case SEQUENCE -> number++;
                            case ROW -> s.row();
                            case BATCH -> 0;
                        };
                Arrays.fill(scopes, from, from + s.length(), id);
            }
            int[] targets = batch.targets();
            for (int i = 0; i < scopes.length; i++) {
                scopes[i] = targets[i] == Example.IGNORED ? -1 : scopes[i];
            }
            return scopes;
        }

        @Override
        public boolean isAccumulationInvariant() {
            return scope != Scope.BATCH;
        }

        @Override
        public String toString() {
            return "perplexity-weighted by " + scope.name().toLowerCase(Locale.ROOT);
        }
    }
}
