package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.op.LinearCrossEntropy;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// [LinearCrossEntropy] without the logits in memory: a block of them at a time becomes the
/// gradient of the logits in place, from which both gradients are added up.
///
/// If the budget holds whole rows of enough tokens, each block is looked at once: three products.
/// Else the blocks are parts of rows, computed once for the log-sum-exps and again for the
/// gradient: four.
final class LinearCrossEntropyKernel implements Kernel<LinearCrossEntropy> {
    @Override
    public boolean acceptsStored(int i) {
        return i == 1;
    }

    @Override
    public void run(LinearCrossEntropy op, View[] in, View[] out) {
        int next = 3;
        View dHidden = op.dHidden() ? out[next++] : null;
        View dWeight = op.dWeight() ? out[next] : null;
        new Pass(op, in, dHidden, dWeight).run(out);
    }

    /// One call.
    private static final class Pass {
        private final HeadOptions options;
        private final int vocabulary;
        private final LiveTokens tokens;
        private final View[] in;
        private final @Nullable View dHidden;
        private final @Nullable View dWeight;
        private final LogitStatistics statistics;
        private final LogitGradient gradient;

        Pass(LinearCrossEntropy op, View[] in, @Nullable View dHidden, @Nullable View dWeight) {
            this.in = in;
            this.dHidden = dHidden;
            this.dWeight = dWeight;
            options = op.options();
            vocabulary = in[1].dim(0);
            View targets = in[2];
            tokens =
                    LiveTokens.of(
                            op.name(),
                            targets.ints(),
                            targets.offset(),
                            targets.size(),
                            options.ignoreIndex(),
                            vocabulary,
                            i -> true);
            int n = tokens.count();
            statistics = new LogitStatistics(n, options.labelSmoothing() > 0, false, false);
            gradient = new LogitGradient(options, options.filter(), n, vocabulary);
        }

        void run(View[] out) {
            try (var sweep = new HeadSweep(options, tokens, in[0], in[1], options.filter())) {
                if (tokens.count() > 0) {
                    sweep(sweep);
                }
                sweep.finish(dHidden, dWeight);
            }
            report(out);
        }

        private void sweep(HeadSweep sweep) {
            int n = tokens.count();
            // The filter reports what it drops, so it needs the gradient of the logits in any case.
            boolean wanted = dHidden != null || dWeight != null || options.filter() > 0;
            HeadSweep.BlockBody multiply =
                    (t, count, v, columns, block) ->
                            sweep.multiply(t, count, v, columns, block, dHidden, dWeight);
            HeadSweep.BlockBody nothing = (t, count, v, columns, block) -> {};
            HeadBlocks blocks =
                    wanted
                            ? HeadBlocks.of(n, vocabulary, options.memoryBudget())
                            : HeadBlocks.parts(n, vocabulary, options.memoryBudget());
            if (wanted && blocks.wholeRows()) {
                sweep.run(
                        blocks,
                        (i, block, o, count, first) -> {
                            look(i, block, o, count, first);
                            weigh(i);
                            differentiate(i, block, o, count, first);
                        },
                        multiply);
                return;
            }
            sweep.run(blocks, this::look, nothing);
            for (int i = 0; i < n; i++) {
                weigh(i);
            }
            if (wanted) {
                sweep.run(blocks, this::differentiate, multiply);
            }
        }

        private void look(int i, float[] block, int o, int count, int first) {
            statistics.add(i, block, o, count, first, tokens.target(i));
        }

        private void weigh(int i) {
            double lse = statistics.logSumExp(i);
            double weight = weight(i);
            gradient.token(i, lse, weight, weight * 2 * options.zLoss() * lse, 0);
        }

        private void differentiate(int i, float[] block, int o, int count, int first) {
            gradient.run(i, block, o, count, first, tokens.target(i));
        }

        private double weight(int i) {
            return in[3].floats()[in[3].offset() + tokens.position(i)];
        }

        private void report(View[] out) {
            float[] nll = out[1].floats();
            int at = out[1].offset();
            Arrays.fill(nll, at, at + out[1].size(), 0);
            double loss = 0;
            for (int i = 0; i < tokens.count(); i++) {
                double lse = statistics.logSumExp(i);
                double entropy = statistics.crossEntropy(i, options.labelSmoothing(), vocabulary);
                loss += weight(i) * (entropy + options.zLoss() * lse * lse);
                nll[at + tokens.position(i)] = (float) (lse - statistics.target(i));
            }
            out[0].floats()[out[0].offset()] = (float) loss;
            out[2].floats()[out[2].offset()] = (float) gradient.droppedShare();
        }
    }
}
