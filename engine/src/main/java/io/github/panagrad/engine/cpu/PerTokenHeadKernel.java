package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.op.PerTokenHead;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// [PerTokenHead] without the logits in memory: one pass over blocks of them forward, and another
/// one backward that computes them again.
final class PerTokenHeadKernel implements Kernel<PerTokenHead> {
    @Override
    public boolean acceptsStored(int i) {
        return i == 1;
    }

    @Override
    public void run(PerTokenHead op, View[] in, View[] out) {
        HeadOptions options = op.options();
        int vocabulary = in[1].dim(0);
        LiveTokens tokens = live(op, in, i -> true);
        int n = tokens.count();
        var statistics =
                new LogitStatistics(n, options.labelSmoothing() > 0, op.entropy(), op.argMax());
        try (var sweep = new HeadSweep(options, tokens, in[0], List.of(in[1]))) {
            if (n > 0) {
                sweep.run(
                        HeadBlocks.parts(n, vocabulary, options.memoryBudget()),
                        (i, block, o, count, first) ->
                                statistics.add(i, block, o, count, first, tokens.target(i)),
                        (t, count, v, block, matrices) -> {});
            }
        }
        float[] nll = cleared(out[0]);
        float[] lse = cleared(out[1]);
        float @Nullable [] entropy = op.entropy() ? cleared(out[2]) : null;
        View best = out[out.length - 1];
        if (op.argMax()) {
            Arrays.fill(best.ints(), best.offset(), best.offset() + best.size(), -1);
        }
        for (int i = 0; i < n; i++) {
            int at = tokens.position(i);
            nll[out[0].offset() + at] =
                    (float) statistics.crossEntropy(i, options.labelSmoothing(), vocabulary);
            lse[out[1].offset() + at] = (float) statistics.logSumExp(i);
            if (entropy != null) {
                entropy[out[2].offset() + at] = (float) statistics.entropy(i);
            }
            if (op.argMax()) {
                best.ints()[best.offset() + at] = statistics.argMax(i);
            }
        }
    }

    private static float[] cleared(View view) {
        Arrays.fill(view.floats(), view.offset(), view.offset() + view.size(), 0);
        return view.floats();
    }

    private static LiveTokens live(PerTokenHead op, View[] in, IntPredicate wanted) {
        return LiveTokens.of(
                op.name(),
                in[2].ints(),
                in[2].offset(),
                in[2].size(),
                op.options().ignoreIndex(),
                in[1].dim(0),
                wanted);
    }

    /// The gradients: inputs hidden, weight, targets, lse, entropy?, dNll, dLse, dEntropy?.
    static final class Grad implements Kernel<PerTokenHead.Grad> {
        @Override
        public boolean acceptsStored(int i) {
            return i == 1;
        }

        @Override
        public void run(PerTokenHead.Grad op, View[] in, View[] out) {
            boolean entropies = op.of().entropy();
            HeadOptions options = op.of().options();
            int vocabulary = in[1].dim(0);
            int next = entropies ? 5 : 4;
            View dNll = in[next];
            View dLse = in[next + 1];
            View dEntropy = entropies ? in[next + 2] : null;
            LiveTokens tokens =
                    live(
                            op.of(),
                            in,
                            i ->
                                    at(dNll, i) != 0
                                            || at(dLse, i) != 0
                                            || (dEntropy != null && at(dEntropy, i) != 0));
            int n = tokens.count();
            var gradient = new LogitGradient(options, n, vocabulary);
            for (int i = 0; i < n; i++) {
                int t = tokens.position(i);
                double lse = at(in[3], t);
                double ofEntropy = dEntropy == null ? 0 : at(dEntropy, t);
                double expected = dEntropy == null ? 0 : lse - at(in[4], t);
                double more = at(dLse, t) + ofEntropy * expected;
                gradient.token(i, lse, at(dNll, t), more, -ofEntropy);
            }
            View dHidden = op.dHidden() ? out[0] : null;
            View dWeight = op.dWeight() ? out[out.length - 1] : null;
            try (var sweep = new HeadSweep(options, tokens, in[0], List.of(in[1]));
                    var gradients = new HeadGradients(tokens, dHidden, dWeight)) {
                if (n > 0) {
                    sweep.run(
                            HeadBlocks.parts(n, vocabulary, options.memoryBudget()),
                            (i, block, o, count, first) ->
                                    gradient.run(i, block, o, count, first, tokens.target(i)),
                            gradients);
                }
                gradients.finish();
            }
        }

        private static float at(View view, int i) {
            return view.floats()[view.offset() + i];
        }
    }
}
