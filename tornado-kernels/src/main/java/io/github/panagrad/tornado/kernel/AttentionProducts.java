package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.Attention;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import java.util.ArrayList;
import java.util.List;

/// [Attention] as products of matrices with a softmax between them: what a library for products is
/// fast at.
///
/// A piece of the queries is taken at a time, with the keys that they may see and all their heads, so
/// that scores never take more than a part of the device's memory.
final class AttentionProducts {
    /// Queries, and keys, from which on a product is worth its launch.
    private static final int LEAST = 128;

    private final PanagradDevice device;
    private final MatMulKernels products;
    private final CopyKernels copies;
    private final AttentionScores scores;
    private final long most;

    /// @param most how many floats scores may take
    AttentionProducts(
            PanagradDevice device, MatMulKernels products, CopyKernels copies, long most) {
        this.device = device;
        this.products = products;
        this.copies = copies;
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
        var shape = AttentionShape.of(in);
        List<Piece> pieces = pieces(op, shape, 1);
        Stack q = Stack.of(in[0], shape.members());
        Stack k = Stack.of(in[1], 1);
        Stack v = Stack.of(in[2], 1);
        Stack output = Stack.of(out[0], shape.members());
        DeviceStorage weights = buffer(pieces, shape);
        for (Piece piece : pieces) {
            Stack p = scores(weights, piece, shape);
            multiply(piece.queries(q), piece.keys(k).transposed(), p, piece, shape);
            scores.softmax(op, in, shape, piece, weights.at(), Places.at(out[1]));
            multiply(p, piece.keys(v), piece.queries(output), piece, shape);
        }
        weights.release("attention");
    }

    /// Computes the gradients that are wanted: with P the weights and Δ the rows' products of output
    /// and gradient, dS = P∘(dout·vᵀ − Δ), dq = scale·dS·k, dk = scale·dSᵀ·q, dv = Pᵀ·dout.
    ///
    /// @param delta the place of Δ
    void backward(Attention.Grad op, View[] in, View[] out, int delta) {
        var shape = AttentionShape.of(in);
        List<Piece> pieces = pieces(op.of(), shape, 2);
        View gradient = in[in.length - 1];
        int logSumExp = Places.at(in[in.length - 2]);
        int next = 0;
        Stack dq = op.dq() ? Stack.of(out[next++], shape.members()) : null;
        Stack dk = op.dk() ? cleared(out[next++]) : null;
        Stack dv = op.dv() ? cleared(out[next]) : null;
        Stack q = Stack.of(in[0], shape.members());
        Stack k = Stack.of(in[1], 1);
        Stack v = Stack.of(in[2], 1);
        Stack dout = Stack.of(gradient, shape.members());
        DeviceStorage weights = buffer(pieces, shape);
        DeviceStorage changes = buffer(pieces, shape);
        for (Piece piece : pieces) {
            Stack p = scores(weights, piece, shape);
            Stack ds = scores(changes, piece, shape);
            multiply(piece.queries(q), piece.keys(k).transposed(), p, piece, shape);
            multiply(piece.queries(dout), piece.keys(v).transposed(), ds, piece, shape);
            scores.gradient(
                    op.of(), in, shape, piece, weights.at(), changes.at(), logSumExp, delta);
            if (dq != null) {
                multiply(ds, piece.keys(k), piece.queries(dq), piece, shape);
            }
            if (dk != null) {
                addMembers(ds, piece.queries(q), piece.keys(dk), piece, shape);
            }
            if (dv != null) {
                addMembers(p, piece.queries(dout), piece.keys(dv), piece, shape);
            }
        }
        weights.release("attention");
        changes.release("attention");
    }

    private Stack cleared(View view) {
        copies.fill(Places.at(view), view.size(), 0);
        return Stack.of(view, 1);
    }

    private void multiply(Stack a, Stack b, Stack c, Piece piece, AttentionShape shape) {
        products.multiply(
                Stack.product(a, b, c, piece.sequences, shape.groups(), shape.members(), false));
    }

    /// Adds aᵀ·b to what the members of a group share, one member after the other.
    private void addMembers(Stack a, Stack b, Stack c, Piece piece, AttentionShape shape) {
        for (int j = 0; j < shape.members(); j++) {
            products.multiply(
                    Stack.product(
                            a.only(j).transposed(),
                            b.only(j),
                            c,
                            piece.sequences,
                            shape.groups(),
                            1,
                            true));
        }
    }

    /// Divides the queries into pieces whose scores fit, all sequences together if that leaves enough
    /// queries to each piece.
    private List<Piece> pieces(Attention op, AttentionShape shape, int buffers) {
        long rows = most / ((long) buffers * shape.heads() * shape.keys());
        boolean together = rows / shape.sequences() >= Math.min(LEAST, shape.queries());
        int sequences = together ? shape.sequences() : 1;
        int queries = Math.clamp(rows / sequences, 1, shape.queries());
        int ahead = shape.keys() - shape.queries();
        var pieces = new ArrayList<Piece>();
        for (int b = 0; b < shape.sequences(); b += sequences) {
            for (int t = 0; t < shape.queries(); t += queries) {
                int end = Math.min(shape.queries(), t + queries);
                int first = op.window() > 0 ? Math.max(0, t + ahead - op.window() + 1) : 0;
                int last = op.causal() ? end + ahead : shape.keys();
                pieces.add(new Piece(b, sequences, t, end - t, first, last - first));
            }
        }
        return pieces;
    }

    private DeviceStorage buffer(List<Piece> pieces, AttentionShape shape) {
        long longest = 0;
        for (Piece piece : pieces) {
            longest =
                    Math.max(
                            longest,
                            (long) piece.sequences * shape.heads() * piece.queries * piece.keys);
        }
        return device.allocate(DType.F32, longest);
    }

    private static Stack scores(DeviceStorage buffer, Piece piece, AttentionShape shape) {
        int one = piece.queries * piece.keys;
        return new Stack(
                Matrix.contiguous(buffer.at(), piece.queries, piece.keys),
                shape.heads() * one,
                shape.members() * one,
                one);
    }
}
