package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.RopeTable;
import io.github.panagrad.engine.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Our functions of rows and elements.
final class OwnRows extends OwnFunction {
    private final Problem.Rows p;
    private final List<Tensor> in;
    private final RopeTable rope =
            RopeTable.of(Problem.Rows.ROPE_CHANNELS, 10000, Problem.Rows.ROPE_TOKENS);
    private final Tensor positions = Ops.arange(Problem.Rows.ROPE_TOKENS);

    OwnRows(Problem.Rows p) {
        this(p, inputs(p));
    }

    private OwnRows(Problem.Rows p, List<Tensor> in) {
        super(in, Ops.tensor(Inputs.normal("dy", p.rows() * p.width()), p.shape()));
        this.p = p;
        this.in = in;
    }

    private static List<Tensor> inputs(Problem.Rows p) {
        int size = p.rows() * p.width();
        var in = new ArrayList<Tensor>();
        in.add(leaf("x", Inputs.normal("x", size), p.shape()));
        switch (p.function()) {
            case RMS_NORM -> in.add(leaf("w", Inputs.normal("w", p.width()), p.width()));
            case LAYER_NORM -> {
                in.add(leaf("w", Inputs.normal("w", p.width()), p.width()));
                in.add(leaf("b", Inputs.normal("b", p.width()), p.width()));
            }
            case SWIGLU -> in.add(leaf("up", Inputs.normal("up", size), p.shape()));
            default -> {}
        }
        return in;
    }

    @Override
    Tensor forward() {
        Tensor x = in.getFirst();
        return switch (p.function()) {
            case RMS_NORM -> Ops.rmsNorm(x, in.get(1), 1e-5);
            case LAYER_NORM -> Ops.layerNorm(x, in.get(1), in.get(2), 1e-5);
            case SWIGLU -> Ops.swiglu(x, in.get(1));
            case ROPE -> Ops.rope(x, rope, positions);
            case SOFTMAX -> Ops.softmax(x, -1);
            case GELU -> Ops.gelu(x);
            case GELU_TANH -> Ops.geluTanh(x);
            case SILU -> Ops.silu(x);
        };
    }
}
