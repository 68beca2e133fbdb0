package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.spi.View;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An op that is a function of other ops, and may have a faster kernel.
///
/// Its value and its derivative come from [#composed], so a fused op can never lack a gradient. A
/// kernel for the op, or for its [#backward] op, is an optimisation that the tests hold against it.
public interface Fused extends Op {
    /// Computes the results by plain ops.
    Tensor[] composed(Tensor[] in);

    /// Names the op that computes the gradients in one go, or null if there is none.
    ///
    /// Its inputs are those inputs of this op that [#savesInput] names, those outputs that
    /// [#savesOutput] names, and the gradient of each output that [#hasGradient] names; its outputs
    /// are the gradients of the inputs that are needed, in order.
    ///
    /// @param needs for each input, whether its gradient is needed
    default @Nullable Op backward(boolean[] needs) {
        return null;
    }

    /// Tells whether a gradient can flow into output `i`; false for mere statistics.
    default boolean hasGradient(int i) {
        return true;
    }

    @Override
    default void eval(View[] in, View[] out) {
        throw new IllegalStateException(name() + " is defined by composed()");
    }

    @Override
    default @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        boolean[] needs = node.needs();
        if (!Tape.isRecording()) {
            Op fast = backward(needs);
            if (fast != null) {
                Tensor[] in = backwardInputs(node, dy);
                if (Tape.hasKernel(fast, in)) {
                    return scatter(Tape.apply(fast, in), needs);
                }
            }
        }
        return plainVjp(node, dy);
    }

    /// Returns the gradients by plain ops: by differentiating [#composed], unless the op knows
    /// better.
    ///
    /// An op that overrides it need not save all its inputs.
    default @Nullable Tensor[] plainVjp(Node node, @Nullable Tensor[] dy) {
        return replay(node, dy);
    }

    private Tensor[] backwardInputs(Node node, @Nullable Tensor[] dy) {
        var in = new ArrayList<Tensor>();
        for (int i = 0; i < node.inputs(); i++) {
            if (savesInput(i, node.needs())) {
                in.add(node.input(i));
            }
        }
        for (int i = 0; i < dy.length; i++) {
            if (savesOutput(i)) {
                in.add(node.output(i));
            }
        }
        for (int i = 0; i < dy.length; i++) {
            if (hasGradient(i)) {
                in.add(node.grad(dy, i));
            }
        }
        return in.toArray(Tensor[]::new);
    }

    private static @Nullable Tensor[] scatter(Tensor[] computed, boolean[] needs) {
        @Nullable Tensor[] all = new Tensor[needs.length];
        int next = 0;
        for (int i = 0; i < needs.length; i++) {
            if (needs[i]) {
                all[i] = computed[next++];
            }
        }
        return all;
    }

    /// Differentiates [#composed] on the saved inputs; it needs all differentiable inputs saved.
    private @Nullable Tensor[] replay(Node node, @Nullable Tensor[] dy) {
        int n = node.inputs();
        Tensor[] in = new Tensor[n];
        List<Edge> wanted = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            in[i] = node.input(i);
            Edge edge = node.edge(i);
            if (edge != null) {
                // Two slots may hold one tensor; fresh handles keep their gradients apart only if
                // nothing has to flow further than this op.
                if (!Tape.isRecording()) {
                    edge = new Edge(new Node(in[i].spec(), in[i].device()), 0);
                    in[i] = new Tensor(in[i].storage(), in[i].layout(), in[i].device(), edge);
                }
                wanted.add(edge);
            }
        }
        Tensor[] out = Tape.recording(true, () -> composed(in));
        Map<Tensor, Tensor> seeds = new HashMap<>();
        for (int i = 0; i < out.length; i++) {
            Tensor d = dy[i];
            if (d != null && out[i].edge() != null) {
                seeds.put(out[i], d);
            }
        }
        Map<Edge, Tensor> grads =
                Backward.walk(seeds, java.util.Set.copyOf(wanted), true, Tape.isRecording());
        @Nullable Tensor[] result = new Tensor[n];
        for (int i = 0; i < n; i++) {
            Edge edge = in[i].edge();
            if (node.needs(i) && edge != null) {
                result[i] = grads.remove(edge);
            }
        }
        return result;
    }
}
