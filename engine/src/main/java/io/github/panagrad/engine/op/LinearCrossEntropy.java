package io.github.panagrad.engine.op;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Weighted sum of the cross-entropies of a linear head, loss = Σᵢ wᵢ·ℓᵢ, which computes its
/// gradients in the same pass and so needs three products instead of four.
///
/// ℓ = lse − Σᵥ tᵥ·zᵥ + λ·lse², with z the (capped) logits, t the (smoothed) target. Results: the
/// loss; then the plain nll of each token (0 where ignored) and the share of Σ|softmax − t| that the
/// filter dropped, both statistics; the log-sum-exp of each token (0 where ignored), differentiable
/// but at the price of more products; and the gradients of hidden and weight where asked for. The
/// filter is for these: what flows back to the log-sum-exps, and higher orders, are exact.
///
/// The weight may lie in several tensors, the first entries of the vocabulary in the first: further
/// ones follow the other operands. All results are those of one tensor, bit for bit.
///
/// Shapes: hidden (N, D), weight (V, D), targets I32 (N), token weights (N), more of the weight (V′,
/// D)… → (), (N), (), (N), (N, D)?, (V + V′…, D)?.
///
/// @param options smoothing, cap, filter with its threshold resolved, memory
/// @param dHidden whether to compute the gradient of hidden
/// @param dWeight whether to compute the gradient of weight
public record LinearCrossEntropy(HeadOptions options, boolean dHidden, boolean dWeight)
        implements Fused {
    private static final int LSE = 3;
    private static final int GRADIENTS = 4;

    /// Operands before the second tensor of the weight.
    private static final int OPERANDS = 4;

    /// Checks that the filter's threshold is known.
    public LinearCrossEntropy {
        if (options.filter().threshold() == HeadFilter.AUTO) {
            throw new PanagradException(
                    "linearCrossEntropy",
                    "the filter's threshold is not resolved",
                    options.filter().toString(),
                    "a number",
                    "call resolve with the types of hidden and weight");
        }
    }

    @Override
    public List<Spec> infer(List<Spec> in) {
        checkHead(name(), in);
        int vocabulary = vocabulary(in);
        Spec hidden = in.get(0).widened();
        Shape tokens = in.get(2).shape();
        if (!in.get(3).shape().equals(tokens)) {
            throw new ShapeException(
                    name(),
                    "token weights do not fit",
                    in.get(3).toString(),
                    tokens.toString(),
                    "");
        }
        var out = new ArrayList<Spec>();
        out.add(hidden.with(Shape.SCALAR));
        out.add(hidden.with(tokens));
        out.add(hidden.with(Shape.SCALAR));
        out.add(hidden.with(tokens));
        if (dHidden) {
            out.add(hidden);
        }
        if (dWeight) {
            out.add(in.get(1).widened().with(Shape.of(vocabulary, hidden.shape().dim(1))));
        }
        return out;
    }

    /// Adds up the rows of all tensors of the weight, and checks that they fit together.
    private int vocabulary(List<Spec> in) {
        Shape first = in.get(1).shape();
        int rows = first.dim(0);
        for (Spec more : in.subList(OPERANDS, in.size())) {
            if (more.shape().rank() != 2 || more.shape().dim(1) != first.dim(1)) {
                throw new ShapeException(
                        name(),
                        "parts of the weight do not fit together",
                        in.get(1) + " and " + more,
                        "[V," + first.dim(1) + "] each",
                        "");
            }
            rows += more.shape().dim(0);
        }
        return rows;
    }

    /// Checks hidden (N, D), weight (V, D) and targets I32 (N).
    static void checkHead(String op, List<Spec> in) {
        Shape hidden = in.get(0).shape();
        Shape weight = in.get(1).shape();
        boolean fits = hidden.rank() == 2 && weight.rank() == 2 && hidden.dim(1) == weight.dim(1);
        if (!fits || !in.get(2).equals(new Spec(Shape.of(hidden.dim(0)), DType.I32))) {
            throw new ShapeException(
                    op,
                    "operands do not fit",
                    "hidden " + in.get(0) + ", weight " + in.get(1) + ", targets " + in.get(2),
                    "hidden [N,D], weight [V,D], targets i32[N]",
                    "");
        }
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        Tensor weight = whole(in);
        var head = PlainHead.of(in[0], weight, in[2], options);
        Tensor loss = head.loss().mul(in[3]).sum();
        var out = new ArrayList<Tensor>();
        out.add(loss);
        out.add(head.nll());
        var filtered = head.filtered();
        out.add(filtered.dropped());
        out.add(head.lse().mul(head.live()));
        Tensor dz = head.gradient(in[3]);
        HeadFilter filter = options.filter();
        if (dHidden) {
            Tensor raw = head.throughCap(filter.hidden() ? filtered.of(dz) : dz);
            out.add(raw.matmul(weight.to(raw.dtype())));
        }
        if (dWeight) {
            Tensor raw = head.throughCap(filter.weight() ? filtered.of(dz) : dz);
            out.add(raw.transpose().matmul(in[0]));
        }
        return out.toArray(Tensor[]::new);
    }

    private static Tensor whole(Tensor[] in) {
        if (in.length == OPERANDS) {
            return in[1];
        }
        Tensor[] parts = new Tensor[in.length - OPERANDS + 1];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = in[part(i)].to(in[0].dtype());
        }
        return Ops.concat(0, parts);
    }

    /// Returns which operand a tensor of the weight is.
    private static int part(int i) {
        return i == 0 ? 1 : OPERANDS + i - 1;
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        int parts = node.inputs() - OPERANDS + 1;
        boolean saved = (dHidden || !node.needs(0)) && !node.needs(3);
        for (int i = 0; i < parts; i++) {
            saved &= dWeight || !node.needs(part(i));
        }
        if (Tape.isRecording() || !saved) {
            return plainVjp(node, dy);
        }
        @Nullable Tensor[] grads =
                dy[LSE] == null ? new Tensor[node.inputs()] : ofLogSumExps(node, dy);
        if (dy[0] == null) {
            return grads;
        }
        Tensor factor = dy[0];
        if (node.needs(0)) {
            grads[0] = plus(times(node.output(GRADIENTS), factor), grads[0]);
        }
        if (dWeight) {
            Tensor all = times(node.output(GRADIENTS + (dHidden ? 1 : 0)), factor);
            for (int i = 0, from = 0; i < parts; i++) {
                int rows = node.inputSpec(part(i)).shape().dim(0);
                if (node.needs(part(i))) {
                    Tensor own = parts == 1 ? all : all.narrow(0, from, rows);
                    grads[part(i)] = plus(own, grads[part(i)]);
                }
                from += rows;
            }
        }
        return grads;
    }

    /// Returns the gradients of what flows back to the log-sum-exps alone.
    private @Nullable Tensor[] ofLogSumExps(Node node, @Nullable Tensor[] dy) {
        Tensor lse = node.output(LSE);
        Tensor none = Ops.zeros(lse.dtype(), lse.shape()).to(lse.device());
        var op =
                new PerTokenHead.Grad(
                        new PerTokenHead(options, false, false), node.needs(0), node.needs(1));
        Tensor[] in = {node.input(0), node.input(1), node.input(2), lse, none, node.grad(dy, LSE)};
        @Nullable Tensor[] grads = new Tensor[OPERANDS];
        if (node.inputs() > OPERANDS || !Tape.hasKernel(op, in)) {
            @Nullable Tensor[] only = new Tensor[dy.length];
            only[LSE] = dy[LSE];
            return plainVjp(node, only);
        }
        Tensor[] computed = Tape.apply(op, in);
        int next = 0;
        for (int i = 0; i < 2; i++) {
            if (node.needs(i)) {
                grads[i] = computed[next++];
            }
        }
        return grads;
    }

    private static Tensor plus(Tensor a, @Nullable Tensor b) {
        return b == null ? a : a.add(b);
    }

    private static Tensor times(Tensor gradient, Tensor factor) {
        return factor.item() == 1 ? gradient : gradient.mul(factor);
    }

    @Override
    public boolean hasGradient(int i) {
        return i == 0 || i == LSE;
    }

    @Override
    public boolean savesOutput(int i) {
        return i >= LSE;
    }

    public static List<Sample> samples() {
        var d = HeadOptions.DEFAULT;
        return List.of(
                sample(d, 5, 8, 19, true, true),
                sample(d.ignoreIndex(2), 9, 5, 4, true, true),
                sample(d.labelSmoothing(0.1).zLoss(1e-2), 4, 6, 17, true, true),
                sample(d.softCap(3), 4, 6, 33, true, true),
                sample(
                        d.softCap(2).labelSmoothing(0.2).zLoss(0.1).memoryBudget(128),
                        7,
                        5,
                        40,
                        true,
                        true),
                Sample.of(
                        new LinearCrossEntropy(d, true, true),
                        Arg.uniform(-1, 1, 5, 8),
                        Arg.uniform(-1, 1, 7, 8),
                        Arg.index(19, 5),
                        Arg.constant(0.1, 1, 5),
                        Arg.uniform(-1, 1, 2, 8),
                        Arg.uniform(-1, 1, 10, 8)));
    }

    private static Sample sample(
            HeadOptions o, int n, int d, int v, boolean dHidden, boolean dWeight) {
        return Sample.of(
                new LinearCrossEntropy(o, dHidden, dWeight),
                Arg.uniform(-1, 1, n, d),
                Arg.uniform(-1, 1, v, d),
                Arg.index(v, n),
                Arg.constant(0.1, 1, n));
    }
}
