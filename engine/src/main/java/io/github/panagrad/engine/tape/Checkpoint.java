package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Scope;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A function whose intermediates are computed again for backward instead of being kept (Chen, Xu,
/// Zhang, Guestrin, arXiv 1604.06174).
///
/// It stands on the tape as one node. Inputs of the node are the arguments and all tensors from
/// outside that the function read: parameters, and what it captured. When the backward walk comes
/// to the node, it runs the function again and goes on through what that records, so gradients add
/// up in the same order as without a checkpoint.
public final class Checkpoint implements Op {
    private final UnaryOperator<Tensor[]> f;
    private final int arguments;
    private final List<Rng> generators;
    private final long[] positions;
    private final Stretch stretch = new Stretch();
    private @Nullable Repetition kept;

    private Checkpoint(
            UnaryOperator<Tensor[]> f, int arguments, List<Rng> generators, long[] positions) {
        this.f = f;
        this.arguments = arguments;
        this.generators = generators;
        this.positions = positions;
    }

    /// Applies `f` and records it as one node.
    ///
    /// @param generators what `f` draws random numbers from; they are set back for the second time
    public static Tensor[] apply(UnaryOperator<Tensor[]> f, List<Rng> generators, Tensor... x) {
        if (!Tape.isRecording()) {
            return f.apply(x);
        }
        Checkpoint op = new Checkpoint(f, x.length, generators, positions(generators));
        return Scope.scope("checkpoint", () -> op.record(x));
    }

    private Tensor[] record(Tensor[] x) {
        Tensor[] y = stretch.record(() -> f.apply(x.clone()));
        stretch.reads(y);
        // First, so that what nested scopes made is gone and does not look like something captured.
        boolean flows = Arrays.stream(y).anyMatch(Tensor::requiresGrad);
        stretch.release();
        Node node = null;
        if (flows) {
            List<Tensor> in = new ArrayList<>(List.of(x));
            in.addAll(stretch.captured(x));
            node =
                    new Node(
                            this,
                            in.toArray(Tensor[]::new),
                            Arrays.stream(y).map(Tensor::spec).toList());
            Scope.register(node);
            Stretch around = Stretch.current();
            if (around != null) {
                around.makes(node);
            }
        }
        Tensor[] out = new Tensor[y.length];
        for (int i = 0; i < y.length; i++) {
            out[i] =
                    new Tensor(
                            y[i].storage(),
                            y[i].layout(),
                            y[i].device(),
                            node != null && y[i].requiresGrad() ? new Edge(node, i) : null);
        }
        return out;
    }

    /// What the function was recorded as when it ran again.
    ///
    /// @param stretch the nodes
    /// @param results where its results came from
    record Repetition(Stretch stretch, @Nullable Edge[] results) {}

    /// Runs the function again on what the node saved, recorded: the graph that the node stands
    /// for.
    ///
    /// A walk that is recorded itself leaves that graph to later walks, which have to go through
    /// the same one.
    Repetition repeat(Node node) {
        Tensor[] x = new Tensor[arguments];
        for (int i = 0; i < node.inputs(); i++) {
            // Reading checks that a captured parameter still is what it was.
            Tensor input = node.input(i);
            if (i < arguments) {
                x[i] = input;
            }
        }
        if (kept != null) {
            return kept;
        }
        var repeated = new Stretch(stretch);
        @Nullable Edge[] results =
                Scope.scope(
                        "checkpoint", () -> again(() -> edges(repeated.record(() -> f.apply(x)))));
        var repetition = new Repetition(repeated, results);
        if (Tape.isRecording()) {
            kept = repetition;
            repeated.made().forEach(Scope::keep);
        }
        return repetition;
    }

    private static @Nullable Edge[] edges(Tensor[] tensors) {
        @Nullable Edge[] edges = new Edge[tensors.length];
        for (int i = 0; i < edges.length; i++) {
            edges[i] = tensors[i].edge();
        }
        return edges;
    }

    private <T> T again(Supplier<T> body) {
        long[] now = positions(generators);
        seek(generators, positions);
        try {
            return body.get();
        } finally {
            seek(generators, now);
        }
    }

    private static long[] positions(List<Rng> generators) {
        return generators.stream().mapToLong(Rng::position).toArray();
    }

    private static void seek(List<Rng> generators, long[] positions) {
        for (int i = 0; i < positions.length; i++) {
            generators.get(i).seek(positions[i]);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        throw new IllegalStateException("the backward walk goes through what repeat() recorded");
    }

    @Override
    public List<Spec> infer(List<Spec> in) {
        throw new IllegalStateException("a checkpoint is recorded by apply()");
    }

    @Override
    public void eval(View[] in, View[] out) {
        throw new IllegalStateException("a checkpoint is recorded by apply()");
    }
}
