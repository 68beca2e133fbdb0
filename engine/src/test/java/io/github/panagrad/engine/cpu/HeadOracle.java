package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadOptions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/// A linear head and its losses as their definitions say, in double precision, with all logits.
final class HeadOracle {
    final HeadOptions options;
    final double[][] hidden;
    final double[][] weight;
    final int[] targets;
    final double[][] z;
    final double[] lse;

    HeadOracle(HeadOptions options, double[][] hidden, double[][] weight, int[] targets) {
        this.options = options;
        this.hidden = hidden;
        this.weight = weight;
        this.targets = targets;
        z = new double[hidden.length][weight.length];
        lse = new double[hidden.length];
        for (int i = 0; i < hidden.length; i++) {
            double max = Double.NEGATIVE_INFINITY;
            for (int v = 0; v < weight.length; v++) {
                double dot = 0;
                for (int d = 0; d < hidden[i].length; d++) {
                    dot += hidden[i][d] * weight[v][d];
                }
                double cap = options.softCap();
                z[i][v] = cap == 0 ? dot : cap * Math.tanh(dot / cap);
                max = Math.max(max, z[i][v]);
            }
            double sum = 0;
            for (double x : z[i]) {
                sum += Math.exp(x - max);
            }
            lse[i] = max + Math.log(sum);
        }
    }

    boolean live(int i) {
        return targets[i] != options.ignoreIndex();
    }

    double p(int i, int v) {
        return Math.exp(z[i][v] - lse[i]);
    }

    private double goal(int i, int v) {
        double e = options.labelSmoothing();
        return (v == targets[i] ? 1 - e : 0) + e / weight.length;
    }

    /// The smoothed cross-entropy.
    double crossEntropy(int i) {
        double expected = 0;
        for (int v = 0; v < weight.length; v++) {
            expected += goal(i, v) * z[i][v];
        }
        return lse[i] - expected;
    }

    double entropy(int i) {
        double sum = 0;
        for (int v = 0; v < weight.length; v++) {
            sum -= p(i, v) * (z[i][v] - lse[i]);
        }
        return sum;
    }

    int argMax(int i) {
        int best = 0;
        for (int v = 1; v < weight.length; v++) {
            best = z[i][v] > z[i][best] ? v : best;
        }
        return best;
    }

    double loss(double[] tokenWeights) {
        double loss = 0;
        for (int i = 0; i < targets.length; i++) {
            if (live(i)) {
                loss += tokenWeights[i] * (crossEntropy(i) + options.zLoss() * lse[i] * lse[i]);
            }
        }
        return loss;
    }

    /// The gradient of the capped logits of the sum of all that was weighted.
    double[][] dz(double[] dCrossEntropy, double[] dLse, double[] dEntropy) {
        double[][] g = new double[targets.length][weight.length];
        for (int i = 0; i < targets.length; i++) {
            for (int v = 0; v < weight.length && live(i); v++) {
                g[i][v] =
                        dCrossEntropy[i] * (p(i, v) - goal(i, v))
                                + dLse[i] * p(i, v)
                                - dEntropy[i] * p(i, v) * (z[i][v] - lse[i] + entropy(i));
            }
        }
        return g;
    }

    /// The gradient of [#loss].
    double[][] dz(double[] tokenWeights) {
        double[] dLse = new double[targets.length];
        for (int i = 0; i < targets.length; i++) {
            dLse[i] = tokenWeights[i] * 2 * options.zLoss() * lse[i];
        }
        return dz(tokenWeights, dLse, new double[targets.length]);
    }

    /// Says for each entry whether the filter lets its gradient through: blocks of live tokens and of
    /// entries, in the order of their mean logit if they are sorted.
    boolean[][] kept() {
        var filter = options.filter();
        int[] live = IntStream.range(0, targets.length).filter(this::live).toArray();
        int[] order = IntStream.range(0, weight.length).toArray();
        if (filter.reorders()) {
            order =
                    IntStream.of(order)
                            .boxed()
                            .sorted(Comparator.comparingDouble(v -> -mean(live, v)))
                            .mapToInt(v -> v)
                            .toArray();
        }
        boolean[][] kept = new boolean[targets.length][weight.length];
        for (int t = 0; t < live.length; t += filter.tokens()) {
            for (int v = 0; v < order.length; v += filter.entries()) {
                int[] rows =
                        Arrays.copyOfRange(live, t, Math.min(live.length, t + filter.tokens()));
                int[] columns =
                        Arrays.copyOfRange(order, v, Math.min(order.length, v + filter.entries()));
                double most = 0;
                for (int i : rows) {
                    for (int j : columns) {
                        most = Math.max(most, Math.abs(p(i, j) - goal(i, j)));
                    }
                }
                for (int i : rows) {
                    for (int j : columns) {
                        kept[i][j] = most >= filter.threshold();
                    }
                }
            }
        }
        return kept;
    }

    private double mean(int[] rows, int v) {
        return IntStream.of(rows).mapToDouble(i -> z[i][v]).sum() / rows.length;
    }

    /// The share of Σ|p − target| that is not kept.
    double dropped(boolean[][] kept) {
        double dropped = 0;
        double all = 0;
        for (int i = 0; i < kept.length; i++) {
            for (int v = 0; v < kept[i].length && live(i); v++) {
                double size = Math.abs(p(i, v) - goal(i, v));
                all += size;
                dropped += kept[i][v] ? 0 : size;
            }
        }
        return all == 0 ? 0 : dropped / all;
    }

    /// Zeroes what is not kept.
    static double[][] filter(double[][] g, boolean[][] kept) {
        double[][] left = new double[g.length][];
        for (int i = 0; i < g.length; i++) {
            left[i] = g[i].clone();
            for (int v = 0; v < left[i].length; v++) {
                left[i][v] = kept[i][v] ? g[i][v] : 0;
            }
        }
        return left;
    }

    private double raw(double[][] g, int i, int v) {
        double cap = options.softCap();
        return cap == 0 ? g[i][v] : g[i][v] * (1 - z[i][v] * z[i][v] / (cap * cap));
    }

    double[] dHidden(double[][] g) {
        int dim = weight[0].length;
        double[] d = new double[g.length * dim];
        for (int i = 0; i < g.length; i++) {
            for (int v = 0; v < weight.length; v++) {
                for (int k = 0; k < dim; k++) {
                    d[i * dim + k] += raw(g, i, v) * weight[v][k];
                }
            }
        }
        return d;
    }

    double[] dWeight(double[][] g) {
        int dim = weight[0].length;
        double[] d = new double[weight.length * dim];
        for (int i = 0; i < g.length; i++) {
            for (int v = 0; v < weight.length; v++) {
                for (int k = 0; k < dim; k++) {
                    d[v * dim + k] += raw(g, i, v) * hidden[i][k];
                }
            }
        }
        return d;
    }
}
