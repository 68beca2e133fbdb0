package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.op.LinearCrossEntropy;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// [LinearCrossEntropy] without the logits in memory: a block of them at a time becomes the
/// gradient of the logits in place, from which both gradients are added up.
///
/// If the budget holds whole rows of enough tokens, each block is looked at once: three products.
/// Else, and where the vocabulary is to be sorted, the blocks are parts of rows, computed once for the
/// log-sum-exps and again for the gradient: four.
final class LinearCrossEntropyKernel implements Kernel<LinearCrossEntropy> {
    @Override
    public boolean acceptsStored(int i) {
        return i == 1 || i > 3;
    }

    @Override
    public void run(LinearCrossEntropy op, View[] in, View[] out) {
        int next = 4;
        View dHidden = op.dHidden() ? out[next++] : null;
        View dWeight = op.dWeight() ? out[next] : null;
        new Pass(op, in, dHidden, dWeight).run(out);
    }

    /// One call.
    private static final class Pass {
        /// Tokens and columns of a block from which compensated sums are made.
        private static final int FEW_TOKENS = 128;

        private static final int FEW_COLUMNS = 2048;

        private final HeadOptions options;
        private final HeadFilter filter;
        private final int vocabulary;
        private final LiveTokens tokens;
        private final View[] in;
        private final List<View> weights = new ArrayList<>();
        private final @Nullable View dHidden;
        private final @Nullable View dWeight;
        private final LogitStatistics statistics;
        private final LogitGradient gradient;
        private double droppedShare;

        Pass(LinearCrossEntropy op, View[] in, @Nullable View dHidden, @Nullable View dWeight) {
            this.in = in;
            this.dHidden = dHidden;
            this.dWeight = dWeight;
            options = op.options();
            filter = options.filter();
            weights.add(in[1]);
            weights.addAll(Arrays.asList(in).subList(4, in.length));
            vocabulary = weights.stream().mapToInt(w -> w.dim(0)).sum();
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
            gradient = new LogitGradient(options, n, vocabulary);
        }

        void run(View[] out) {
            if (tokens.count() == 0) {
                new HeadGradients(tokens, dHidden, dWeight).finish();
            } else {
                try (var sweep = new HeadSweep(options, tokens, in[0], weights)) {
                    sweep(sweep);
                }
            }
            report(out);
        }

        private void sweep(HeadSweep sweep) {
            // The filter reports what it drops, so it needs the gradient of the logits in any case.
            boolean wanted = dHidden != null || dWeight != null || filter.isOn();
            HeadBlocks blocks = blocks(wanted);
            if (wanted && blocks.wholeRows()) {
                differentiate(sweep, blocks, null, true);
                return;
            }
            double[] totals = new double[filter.reorders() ? vocabulary : 0];
            sweep.run(
                    blocks,
                    this::look,
                    (t, count, v, block, range) ->
                            addColumns(totals, v, block, count, range.vocabulary()));
            for (int i = 0; i < tokens.count(); i++) {
                weigh(i);
            }
            if (wanted) {
                differentiate(sweep, blocks, totals.length == 0 ? null : descending(totals), false);
            }
        }

        private HeadBlocks blocks(boolean wanted) {
            int n = tokens.count();
            long bytes = options.memoryBudget();
            if (!wanted) {
                return HeadBlocks.parts(n, vocabulary, bytes);
            }
            boolean twice = filter.isOn() && !(filter.hidden() && filter.weight());
            long each = twice ? Math.max(1, bytes / 2) : bytes;
            HeadBlocks blocks =
                    filter.reorders()
                            ? HeadBlocks.parts(n, vocabulary, each).inParts()
                            : HeadBlocks.of(n, vocabulary, each);
            int few = options.compensateWeight() ? FEW_TOKENS : n;
            int narrow = options.compensateHidden() ? FEW_COLUMNS : vocabulary;
            return blocks.atMost(few, narrow)
                    .cutInto(filter.tokens(), filter.entries(), n, vocabulary);
        }

        /// Computes the gradients, in the order of the vocabulary that is given.
        ///
        /// @param looks whether the log-sum-exps are still to be found, from whole rows
        private void differentiate(
                HeadSweep sweep, HeadBlocks blocks, int @Nullable [] order, boolean looks) {
            int[] places = order == null ? null : inverse(order);
            try (var filtering =
                            filter.isOn() ? new GradientFilter(filter, gradient, blocks) : null;
                    var gradients =
                            new HeadGradients(
                                    tokens, options, blocks, filtering, order, dHidden, dWeight)) {
                sweep.run(
                        blocks,
                        order,
                        (i, block, o, count, first) -> {
                            if (looks) {
                                look(i, block, o, count, first);
                                weigh(i);
                            }
                            int target = tokens.target(i);
                            int wanted = places == null ? target : places[target];
                            if (filtering == null) {
                                gradient.run(i, block, o, count, first, wanted);
                            } else {
                                filtering.row(i, block, o, count, first, wanted);
                            }
                        },
                        gradients);
                gradients.finish();
                droppedShare = filtering == null ? 0 : filtering.droppedShare();
            }
        }

        private static void addColumns(
                double[] totals, int v, float[] block, int tokens, int columns) {
            if (totals.length == 0) {
                return;
            }
            float[] sums = new float[columns];
            ColumnSums.sum(block, 0, sums, 0, 1, tokens, columns);
            for (int j = 0; j < columns; j++) {
                totals[v + j] += sums[j];
            }
        }

        private static int[] descending(double[] totals) {
            return IntStream.range(0, totals.length)
                    .boxed()
                    .sorted((a, b) -> Double.compare(totals[b], totals[a]))
                    .mapToInt(Integer::intValue)
                    .toArray();
        }

        private static int[] inverse(int[] order) {
            int[] places = new int[order.length];
            for (int i = 0; i < order.length; i++) {
                places[order[i]] = i;
            }
            return places;
        }

        private void look(int i, float[] block, int o, int count, int first) {
            statistics.add(i, block, o, count, first, tokens.target(i));
        }

        private void weigh(int i) {
            double lse = statistics.logSumExp(i);
            double weight = weight(i);
            gradient.token(i, lse, weight, weight * 2 * options.zLoss() * lse, 0);
        }

        private double weight(int i) {
            return in[3].floats()[in[3].offset() + tokens.position(i)];
        }

        private void report(View[] out) {
            float[] nll = cleared(out[1]);
            float[] lses = cleared(out[3]);
            double loss = 0;
            for (int i = 0; i < tokens.count(); i++) {
                double lse = statistics.logSumExp(i);
                double entropy = statistics.crossEntropy(i, options.labelSmoothing(), vocabulary);
                loss += weight(i) * (entropy + options.zLoss() * lse * lse);
                int at = tokens.position(i);
                nll[out[1].offset() + at] = (float) (lse - statistics.target(i));
                lses[out[3].offset() + at] = (float) lse;
            }
            out[0].floats()[out[0].offset()] = (float) loss;
            out[2].floats()[out[2].offset()] = (float) droppedShare;
        }

        private static float[] cleared(View view) {
            Arrays.fill(view.floats(), view.offset(), view.offset() + view.size(), 0);
            return view.floats();
        }
    }
}
