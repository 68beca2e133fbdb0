package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.Attention;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// [Attention] as products of matrices with a softmax between them: what a library for products is
/// fast at.
///
/// A piece of the queries is taken at a time, with the keys that they may see and all their heads, so
/// that scores never take more than a part of the device's memory. Keys and values that several heads
/// share are repeated for each, beside scores a small matter, so that a product of all heads is few
/// calls.
final class AttentionProducts {
    /// Queries, and keys, from which on a product is worth its launch.
    private static final int LEAST = 128;

    private final PanagradDevice device;
    private final MatMulKernels products;
    private final CopyKernels copies;
    private final Folds folds;
    private final AttentionScores scores;
    private final long most;

    /// @param most how many floats scores may take
    AttentionProducts(
            PanagradDevice device,
            MatMulKernels products,
            CopyKernels copies,
            Folds folds,
            long most) {
        this.device = device;
        this.products = products;
        this.copies = copies;
        this.folds = folds;
        this.most = most;
        scores = new AttentionScores(device.programs());
    }

    /// Tells whether this is the way for some operands: long sequences, and none of them packed, since
    /// tiles skip what queries of other sequences do not see.
    static boolean suits(Attention op, View[] in) {
        return !op.hasSegments() && in[0].dim(1) >= LEAST && in[1].dim(1) >= LEAST;
    }

    /// Some queries of some sequences, and the keys that they may see.
    record Piece(int sequence, int sequences, int query, int queries, int key, int keys) {
        Stack queries(Stack all) {
            return all.rows(sequence, query, queries);
        }

        Stack keys(Stack all) {
            return all.rows(sequence, key, keys);
        }
    }

    /// Computes the output and the log-sum-exps.
    void forward(Attention op, View[] in, View[] out) {
        var pass = new Pass(op, in, 1);
        Stack q = Stack.of(in[0]);
        Stack k = pass.forEachHead(in[1]);
        Stack v = pass.forEachHead(in[2]);
        Stack output = Stack.of(out[0]);
        DeviceStorage weights = pass.scores();
        for (Piece piece : pass.pieces) {
            Stack p = pass.of(weights, piece);
            pass.multiply(piece, piece.queries(q), piece.keys(k).transposed(), p, false);
            scores.softmax(op, in, piece, weights.at(), Places.at(out[1]));
            pass.multiply(piece, p, piece.keys(v), piece.queries(output), false);
        }
        pass.release();
    }

    /// Computes the gradients that are wanted: with P the weights and Δ the rows' products of output
    /// and gradient, dS = P∘(dout·vᵀ − Δ), dq = scale·dS·k, dk = scale·dSᵀ·q, dv = Pᵀ·dout.
    ///
    /// @param delta the place of Δ
    void backward(Attention.Grad op, View[] in, View[] out, int delta) {
        var pass = new Pass(op.of(), in, 2);
        int logSumExp = Places.at(in[in.length - 2]);
        int next = 0;
        Stack dq = op.dq() ? Stack.of(out[next++]) : null;
        View dkOut = op.dk() ? out[next++] : null;
        View dvOut = op.dv() ? out[next] : null;
        Stack q = Stack.of(in[0]);
        Stack k = pass.forEachHead(in[1]);
        Stack v = pass.forEachHead(in[2]);
        Stack dk = dkOut == null ? null : pass.cleared(dkOut);
        Stack dv = dvOut == null ? null : pass.cleared(dvOut);
        Stack dout = Stack.of(in[in.length - 1]);
        DeviceStorage weights = pass.scores();
        DeviceStorage changes = pass.scores();
        for (Piece piece : pass.pieces) {
            Stack p = pass.of(weights, piece);
            Stack ds = pass.of(changes, piece);
            pass.multiply(piece, piece.queries(q), piece.keys(k).transposed(), p, false);
            pass.multiply(piece, piece.queries(dout), piece.keys(v).transposed(), ds, false);
            scores.gradient(op.of(), in, piece, weights.at(), changes.at(), logSumExp, delta);
            if (dq != null) {
                pass.multiply(piece, ds, piece.keys(k), piece.queries(dq), false);
            }
            if (dk != null) {
                pass.multiply(piece, ds.transposed(), piece.queries(q), piece.keys(dk), true);
            }
            if (dv != null) {
                pass.multiply(piece, p.transposed(), piece.queries(dout), piece.keys(dv), true);
            }
        }
        pass.addUp(dk, dkOut);
        pass.addUp(dv, dvOut);
        pass.release();
    }

    /// What the pieces of a forward or backward pass share.
    private final class Pass {
        final List<Piece> pieces;
        private final int sequences;
        private final int keys;
        private final int heads;
        private final int groups;
        private final int dim;
        private final List<DeviceStorage> scratch = new ArrayList<>();

        /// @param buffers how many sets of scores there are at a time
        Pass(Attention op, View[] in, int buffers) {
            sequences = in[0].dim(0);
            keys = in[1].dim(1);
            heads = in[0].dim(2);
            groups = in[1].dim(2);
            dim = in[0].dim(3);
            long rows = most / ((long) buffers * heads * keys);
            pieces = pieces(op, in[0].dim(1), rows);
        }

        /// Divides the queries into pieces of so many rows of scores for a head at most, all sequences
        /// together if that leaves enough queries to each piece.
        private List<Piece> pieces(Attention op, int queries, long rows) {
            int together = rows / sequences >= Math.min(LEAST, queries) ? sequences : 1;
            int step = Math.clamp(rows / together, 1, queries);
            int ahead = keys - queries;
            var all = new ArrayList<Piece>();
            for (int b = 0; b < sequences; b += together) {
                for (int t = 0; t < queries; t += step) {
                    int end = Math.min(queries, t + step);
                    int first = op.window() > 0 ? Math.max(0, t + ahead - op.window() + 1) : 0;
                    int last = op.causal() ? end + ahead : keys;
                    all.add(new Piece(b, together, t, end - t, first, last - first));
                }
            }
            return all;
        }

        /// Returns memory for the scores of any piece.
        DeviceStorage scores() {
            long longest = 0;
            for (Piece p : pieces) {
                longest = Math.max(longest, (long) p.sequences * heads * p.queries * p.keys);
            }
            return take(longest);
        }

        private DeviceStorage take(long length) {
            DeviceStorage storage = device.allocate(DType.F32, length);
            scratch.add(storage);
            return storage;
        }

        Stack of(DeviceStorage scores, Piece piece) {
            int one = piece.queries * piece.keys;
            return new Stack(
                    Matrix.contiguous(scores.at(), piece.queries, piece.keys), heads * one, one);
        }

        /// Returns keys or values (B, S, G, D), repeated if several heads share one.
        Stack forEachHead(View view) {
            if (heads == groups) {
                return Stack.of(view);
            }
            DeviceStorage repeated = take((long) sequences * keys * heads * dim);
            int[] from = {0, view.stride(0), view.stride(1), view.stride(2), 0, view.stride(3)};
            int[] to = {0, keys * heads * dim, heads * dim, heads / groups * dim, dim, 1};
            copies.copy(
                    DType.F32,
                    Places.at(view),
                    from,
                    Shape.of(sequences, keys, groups, heads / groups, dim),
                    DType.F32,
                    repeated.at(),
                    to);
            return Stack.contiguous(repeated.at(), keys, heads, dim);
        }

        /// Returns zeros for a gradient of keys or values, for each head.
        Stack cleared(View result) {
            int n = sequences * keys * heads * dim;
            int at = heads == groups ? Places.at(result) : take(n).at();
            copies.fill(at, n, 0);
            return Stack.contiguous(at, keys, heads, dim);
        }

        /// Adds up the gradients of heads that share a key or value.
        void addUp(@Nullable Stack each, @Nullable View result) {
            if (each != null && result != null && heads > groups) {
                folds.run(
                        Folds.SUM,
                        each.first().at(),
                        sequences * keys * groups,
                        heads / groups,
                        dim,
                        Places.at(result));
            }
        }

        void multiply(Piece piece, Stack a, Stack b, Stack c, boolean add) {
            products.multiply(Stack.product(a, b, c, piece.sequences, heads, add));
        }

        void release() {
            scratch.forEach(storage -> storage.release("attention"));
        }
    }
}
