package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// What the losses of a head do to rows of logits, each that of a token.
///
/// Values of a token lie at its position in vectors over all tokens.
final class HeadRows {
    private static final int LOCAL = RowGroups.LOCAL;

    private final Program statistics;
    private final Program gradient;
    private final Program ignored;
    private final Program share;

    HeadRows(Programs programs) {
        statistics = programs.add("headStatistics", LOCAL, HeadRows::kHeadStatistics);
        gradient = programs.add("headGradient", LOCAL, HeadRows::kHeadGradient);
        ignored = programs.add("headIgnored", LOCAL, HeadRows::kHeadIgnored);
        share = programs.add("headShare", LOCAL, HeadRows::kHeadShare);
    }

    /// Places of logits (C, V) and of what says whose they are.
    ///
    /// @param rows C
    /// @param vocabulary V
    /// @param at the logits
    /// @param positions the tokens' positions (C)
    /// @param targets the targets of all tokens
    record Block(int rows, int vocabulary, int at, int positions, int targets) {
        private int[] numbers() {
            int lanes = RowGroups.lanes(vocabulary);
            return new int[] {rows, lanes, vocabulary, at, positions, targets};
        }

        private int groups() {
            return RowGroups.groups(rows, RowGroups.lanes(vocabulary));
        }
    }

    /// Places of results, a value a token; negative for those not wanted.
    ///
    /// @param logSumExp the log-sum-exps, always wanted
    /// @param nll minus the log-probabilities of the targets
    /// @param cost the cross-entropies with the smoothed targets
    /// @param entropy the entropies
    /// @param argMax the likeliest entries, among the ints
    record Results(int logSumExp, int nll, int cost, int entropy, int argMax) {
        private int[] numbers() {
            return new int[] {logSumExp, nll, cost, entropy, argMax};
        }
    }

    /// Places of what flows back to the results of each token; negative for what is not there.
    ///
    /// @param toCost to the cross-entropy, always there
    /// @param toLogSumExp to the log-sum-exp
    /// @param entropy the entropy itself
    /// @param toEntropy to the entropy
    record Incoming(int toCost, int toLogSumExp, int entropy, int toEntropy) {}

    /// Caps logits in place and gathers what they say of each token.
    ///
    /// @param weights place of weights for the costs, which then include the z-loss; negative for
    ///     none
    void gather(Block block, HeadOptions options, Results results, int weights) {
        statistics.launchGroups(
                block.groups(),
                Places.join(block.numbers(), results.numbers(), new int[] {weights}),
                Float.NEGATIVE_INFINITY,
                (float) options.softCap(),
                (float) options.labelSmoothing(),
                (float) options.zLoss());
    }

    /// Caps logits in place if `cap` says so, then turns them into the gradient of the loss.
    ///
    /// @param cap whether the logits are still to be capped
    /// @param dropped place of the sums of what the filter drops, a value a token, `tokens` before
    ///     those of all; negative for no filter
    void differentiate(
            Block block,
            HeadOptions options,
            boolean cap,
            int logSumExp,
            Incoming incoming,
            int dropped,
            int tokens) {
        double c = options.softCap();
        gradient.launchGroups(
                block.groups(),
                Places.join(
                        block.numbers(),
                        new int[] {
                            logSumExp,
                            incoming.toCost,
                            incoming.toLogSumExp,
                            incoming.entropy,
                            incoming.toEntropy,
                            dropped,
                            tokens
                        }),
                c == 0 ? 0f : (float) (1 / (c * c)),
                (float) options.labelSmoothing(),
                (float) (2 * options.zLoss()),
                (float) options.filter().threshold(),
                cap ? (float) c : 0f);
    }

    /// Gives tokens whose target is to be ignored results of 0, and −1 for the likeliest entry.
    void clearIgnored(int tokens, int targets, int ignore, Results results) {
        ignored.launch(tokens, Places.join(new int[] {tokens, targets, ignore}, results.numbers()));
    }

    /// Divides a sum by the one that follows it; 0 if that is 0.
    void divide(int sums, int to) {
        share.launch(1, new int[] {sums, to});
    }

    // p: rows, lanes, V, logits, positions, targets, log-sum-exps, nll, costs, entropies, arg-max
    // (negative if not wanted), weights of the costs (negative for none); r: minus infinity, cap,
    // smoothing, z-loss

    private static void kHeadStatistics(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int[] places = c.allocateIntLocalArray(LOCAL);
        int lanes = p.get(1);
        int vocabulary = p.get(2);
        int t = c.localIdx;
        int lane = t % lanes;
        int row = RowGroups.row(c, p);
        int z = p.get(3) + row * vocabulary;
        int end = vocabulary;
        int position = 0;
        int target = -1;
        if (row < p.get(0)) {
            position = n.get(p.get(4) + row);
            target = n.get(p.get(5) + position);
        } else {
            end = 0;
        }
        float cap = r.get(1);
        float max = r.get(0);
        float wanted = 0f;
        int best = 0;
        for (int i = lane; i < end; i += lanes) {
            float x = f.get(z + i);
            if (cap != 0f) {
                x = cap * TornadoMath.tanh(x / cap);
                f.set(z + i, x);
            }
            if (x > max) {
                max = x;
                best = i;
            }
            if (i == target) {
                wanted = x;
            }
        }
        float top = RowGroups.max(c, lanes, max);
        if (max < top) {
            best = vocabulary;
        }
        places[t] = best;
        c.localBarrier();
        for (int half = lanes / 2; half > 0; half = half / 2) {
            if (lane < half) {
                places[t] = TornadoMath.min(places[t], places[t + half]);
            }
            c.localBarrier();
        }
        float sum = 0f;
        float weighted = 0f;
        float total = 0f;
        for (int i = lane; i < end; i += lanes) {
            float x = f.get(z + i);
            float e = TornadoMath.exp(x - top);
            sum += e;
            weighted += e * x;
            total += x;
        }
        sum = RowGroups.sum(c, lanes, sum);
        weighted = RowGroups.sum(c, lanes, weighted);
        total = RowGroups.sum(c, lanes, total);
        wanted = RowGroups.sum(c, lanes, wanted);
        if (lane == 0 && row < p.get(0)) {
            float logSumExp = top + TornadoMath.log(sum);
            f.set(p.get(6) + position, logSumExp);
            if (p.get(7) >= 0) {
                f.set(p.get(7) + position, logSumExp - wanted);
            }
            if (p.get(8) >= 0) {
                float smoothing = r.get(2);
                float cost = logSumExp - wanted;
                if (smoothing != 0f) {
                    cost += smoothing * (wanted - total / vocabulary);
                }
                if (p.get(11) >= 0) {
                    cost += r.get(3) * logSumExp * logSumExp;
                    cost = cost * f.get(p.get(11) + position);
                }
                f.set(p.get(8) + position, cost);
            }
            if (p.get(9) >= 0) {
                f.set(p.get(9) + position, logSumExp - weighted / sum);
            }
            if (p.get(10) >= 0) {
                n.set(p.get(10) + position, places[t]);
            }
        }
    }

    // p: rows, lanes, V, logits, positions, targets, log-sum-exps, gradients of the costs, of the
    // log-sum-exps, entropies, their gradients (negative for none), what is dropped (negative for
    // no
    // filter), tokens; r: inverse square of the cap or 0, smoothing, twice the z-loss, threshold of
    // the
    // filter, cap if it is still to be applied

    private static void kHeadGradient(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int lanes = p.get(1);
        int vocabulary = p.get(2);
        int lane = c.localIdx % lanes;
        int row = RowGroups.row(c, p);
        int z = p.get(3) + row * vocabulary;
        int end = vocabulary;
        int position = 0;
        int target = -1;
        float logSumExp = 0f;
        float weight = 0f;
        float slope = 0f;
        float tilt = 0f;
        if (row < p.get(0)) {
            position = n.get(p.get(4) + row);
            target = n.get(p.get(5) + position);
            logSumExp = f.get(p.get(6) + position);
            weight = f.get(p.get(7) + position);
            slope = weight + r.get(2) * weight * logSumExp;
            if (p.get(8) >= 0) {
                slope += f.get(p.get(8) + position);
            }
            if (p.get(10) >= 0) {
                tilt = -f.get(p.get(10) + position);
                slope -= tilt * (logSumExp - f.get(p.get(9) + position));
            }
        } else {
            end = 0;
        }
        float bend = r.get(0);
        float shift = weight * r.get(1) / vocabulary;
        float hot = weight * (1f - r.get(1));
        float uniform = r.get(1) / vocabulary;
        float threshold = r.get(3);
        float cap = r.get(4);
        int filtered = p.get(11);
        float lost = 0f;
        float all = 0f;
        for (int i = lane; i < end; i += lanes) {
            float x = f.get(z + i);
            if (cap != 0f) {
                x = cap * TornadoMath.tanh(x / cap);
            }
            float softmax = TornadoMath.exp(x - logSumExp);
            float g = softmax * (slope + tilt * x) - shift;
            float own = softmax - uniform;
            if (i == target) {
                g -= hot;
                own -= 1f - r.get(1);
            }
            if (filtered >= 0) {
                float size = TornadoMath.abs(own);
                all += size;
                if (size < threshold) {
                    lost += size;
                    g = 0f;
                }
            }
            f.set(z + i, g * (1f - bend * x * x));
        }
        lost = RowGroups.sum(c, lanes, lost);
        all = RowGroups.sum(c, lanes, all);
        if (filtered >= 0 && lane == 0 && row < p.get(0)) {
            f.set(filtered + position, lost);
            f.set(filtered + p.get(12) + position, all);
        }
    }

    // p: tokens, targets, target to ignore, log-sum-exps, nll, costs, entropies, arg-max (negative
    // if
    // not wanted)

    private static void kHeadIgnored(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            if (n.get(p.get(1) + i) == p.get(2)) {
                for (int k = 3; k < 7; k++) {
                    if (p.get(k) >= 0) {
                        f.set(p.get(k) + i, 0f);
                    }
                }
                if (p.get(7) >= 0) {
                    n.set(p.get(7) + i, -1);
                }
            }
        }
    }

    // p: the sums, to

    private static void kHeadShare(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        if (c.globalIdx == 0) {
            float lost = f.get(p.get(0));
            float all = f.get(p.get(0) + 1);
            float share = 0f;
            if (all != 0f) {
                share = lost / all;
            }
            f.set(p.get(1), share);
        }
    }
}
