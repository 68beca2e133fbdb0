package io.github.panagrad.bench.natives;

import static org.bytedeco.pytorch.global.torch.gelu;
import static org.bytedeco.pytorch.global.torch.layer_norm;
import static org.bytedeco.pytorch.global.torch.rms_norm;
import static org.bytedeco.pytorch.global.torch.silu;
import static org.bytedeco.pytorch.global.torch.softmax;

import io.github.panagrad.bench.peers.Inputs;
import io.github.panagrad.bench.peers.Problem;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;

/// libtorch's functions of rows and elements.
final class TorchRows extends TorchFunction {
    private final Problem.Rows p;
    private final List<Tensor> in;
    private final TorchRope rope;

    TorchRows(Problem.Rows p) {
        this(p, inputs(p));
    }

    private TorchRows(Problem.Rows p, List<Tensor> in) {
        super(in, Torch.tensor(Inputs.normal("dy", p.rows() * p.width()), Problem.wide(p.shape())));
        this.p = p;
        this.in = in;
        rope = new TorchRope(Problem.Rows.ROPE_TOKENS, Problem.Rows.ROPE_CHANNELS);
    }

    private static List<Tensor> inputs(Problem.Rows p) {
        var in = new ArrayList<Tensor>();
        in.add(Torch.leaf(Inputs.normal("x", p.rows() * p.width()), Problem.wide(p.shape())));
        switch (p.function()) {
            case RMS_NORM -> in.add(Torch.leaf(Inputs.normal("w", p.width()), p.width()));
            case LAYER_NORM -> {
                in.add(Torch.leaf(Inputs.normal("w", p.width()), p.width()));
                in.add(Torch.leaf(Inputs.normal("b", p.width()), p.width()));
            }
            case SWIGLU -> in.add(Torch.leaf(Inputs.normal("up", p.rows() * p.width()), Problem.wide(p.shape())));
            default -> {}
        }
        return in;
    }

    @Override
    Tensor forward() {
        Tensor x = in.getFirst();
        long[] width = {p.width()};
        return switch (p.function()) {
            case RMS_NORM ->
                    rms_norm(x, width, new TensorOptional(in.get(1)), new DoubleOptional(1e-5));
            case LAYER_NORM ->
                    layer_norm(
                            x,
                            width,
                            new TensorOptional(in.get(1)),
                            new TensorOptional(in.get(2)),
                            1e-5,
                            false);
            case SWIGLU -> silu(x).mul(in.get(1));
            case ROPE -> rope.turn(x);
            case SOFTMAX -> softmax(x, -1);
            case GELU -> gelu(x);
            case GELU_TANH -> gelu(x, "tanh");
            case SILU -> silu(x);
        };
    }
}
