package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.Optimizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/// Shows what Cut Cross-Entropy (arXiv 2411.09009) saves and what it loses: time and memory of the
/// loss of one head with its gradients, and how a trained and a fresh head learn with a filtered
/// gradient beside the exact one.
///
/// @param hidden states of a model F32 (N, C)
/// @param head its head F32 (V, C)
/// @param targets the token that follows each state (N)
/// @param batch tokens of a training step
/// @param steps steps of each curve
public record HeadCosts(Tensor hidden, Tensor head, int[] targets, int batch, int steps) {
    private static final int ROUNDS = 5;

    /// What one way to compute the loss costs.
    ///
    /// @param name the way
    /// @param milliseconds median time of loss and gradients
    /// @param bytes what the pool gave beyond the two gradients
    /// @param dropped the share of the gradient that was left out
    public record Cost(String name, double milliseconds, long bytes, double dropped) {}

    /// How a head learns.
    ///
    /// @param losses the exact loss of each step, in nats
    /// @param dropped the share of the gradient that was left out in the first and in the last step
    public record Curve(double[] losses, double[] dropped) {
        /// Returns the mean loss.
        public double mean() {
            return Arrays.stream(losses).average().orElse(0);
        }

        /// Returns the mean loss over a tenth of the steps, 0 to 9.
        public double tenth(int number) {
            int from = number * losses.length / 10;
            return Arrays.stream(losses, from, (number + 1) * losses.length / 10)
                    .average()
                    .orElse(0);
        }
    }

    /// Takes states and targets from a model that reads a text, in windows of 256 tokens.
    public static HeadCosts of(CausalLM model, String text, int tokens, int batch, int steps) {
        int[] ids = model.tokenizer().encode(text);
        int window = Math.min(256, tokens);
        int[] read = Arrays.copyOf(ids, tokens);
        Tensor hidden =
                Ops.noGrad(() -> model.hidden(Ops.indices(read, tokens / window, window)))
                        .reshape(tokens, -1);
        return new HeadCosts(
                hidden.detach(),
                model.head().detach().to(DType.F32),
                Arrays.copyOfRange(ids, 1, tokens + 1),
                batch,
                steps);
    }

    /// Measures all ways on all tokens at once.
    public List<Cost> costs() {
        Tensor h = hidden.detach().requireGrad();
        Tensor w = head.detach().requireGrad();
        Tensor y = Ops.indices(targets);
        var costs = new ArrayList<Cost>();
        costs.add(
                cost(
                        "composed",
                        () -> {
                            Losses.crossEntropy(Ops.linear(h, w, null), y).backward();
                            return 0.0;
                        }));
        costs.add(cost("chunked", () -> differentiate(h, w, y, HeadOptions.DEFAULT)));
        for (DType type : List.of(DType.F32, DType.F16, DType.BF16)) {
            double threshold = HeadFilter.thresholdOf(type);
            var each = HeadOptions.DEFAULT.filter(threshold);
            var blocks = blocks(threshold);
            costs.add(cost("entries below " + label(type), () -> differentiate(h, w, y, each)));
            costs.add(cost("blocks below " + label(type), () -> differentiate(h, w, y, blocks)));
        }
        return List.copyOf(costs);
    }

    /// Returns the filter that was published, with a threshold of one's own: blocks of a sorted vocabulary.
    static HeadOptions blocks(double threshold) {
        HeadFilter paper = HeadOptions.CUT.filter();
        return HeadOptions.DEFAULT.filter(
                HeadFilter.below(threshold)
                        .blocks(paper.tokens(), paper.entries())
                        .sorted(paper.sorted()));
    }

    private static String label(DType type) {
        return "2^%d".formatted(Math.getExponent(HeadFilter.thresholdOf(type)));
    }

    private static double differentiate(Tensor h, Tensor w, Tensor y, HeadOptions options) {
        var out = Losses.linearCrossEntropy(h, w, y, options, Reduction.MEAN);
        out.loss().backward();
        return out.dropped().item();
    }

    private Cost cost(String name, Supplier<Double> body) {
        double[] times = new double[ROUNDS];
        double dropped = 0;
        Pool.floats().trim();
        long before = Pool.floats().freshBytes();
        for (int i = 0; i < ROUNDS; i++) {
            long start = System.nanoTime();
            dropped = Ops.scope(body);
            times[i] = (System.nanoTime() - start) / 1e6;
        }
        long gradients = 4L * (hidden.size() + head.size());
        long bytes = Pool.floats().freshBytes() - before - gradients;
        Arrays.sort(times);
        return new Cost(name, times[ROUNDS / 2], bytes, dropped);
    }

    /// Trains the head on its frozen states.
    ///
    /// @param fresh whether it begins with small random weights, or goes on from its own
    /// @param by makes the optimizer. AdamW divides each entry of the gradient by its own size, so that
    ///     the many small ones that a filter drops would move the head as far as the large ones do;
    ///     gradient descent hardly sees them
    public Curve curve(boolean fresh, HeadOptions options, Function<Parameter, Optimizer> by) {
        double deviation = Math.sqrt(head.square().mean().item());
        Tensor from =
                fresh
                        ? Ops.randn(Rng.of(1), head.dim(0), head.dim(1))
                                .mul(deviation / 10)
                                .detach()
                        : head;
        Parameter weight = Ops.parameter("head", from.mul(1).detach().keep());
        Optimizer optimizer = by.apply(weight);
        double[] losses = new double[steps];
        double[] dropped = new double[2];
        for (int step = 0; step < steps; step++) {
            int number = step;
            Ops.scope(() -> {
                int at = number * batch % (targets.length - batch + 1);
                Tensor y = Ops.indices(Arrays.copyOfRange(targets, at, at + batch));
                var out =
                        Losses.linearCrossEntropy(
                                hidden.narrow(0, at, batch), weight, y, options, Reduction.MEAN);
                losses[number] = out.loss().item();
                dropped[number == 0 ? 0 : 1] = out.dropped().item();
                optimizer.step(out.loss().backward());
            });
        }
        return new Curve(losses, dropped);
    }
}
