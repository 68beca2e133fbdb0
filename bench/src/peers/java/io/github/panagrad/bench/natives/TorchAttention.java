package io.github.panagrad.bench.natives;

import io.github.panagrad.bench.peers.Inputs;
import io.github.panagrad.bench.peers.Problem;
import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/// libtorch's fused attention, on heads that lie side by side as linear layers leave them.
final class TorchAttention extends TorchFunction {
    private final List<Tensor> qkv;

    TorchAttention(Problem.Attend p) {
        this(p, List.of(input("q", p), input("k", p), input("v", p)));
    }

    private TorchAttention(Problem.Attend p, List<Tensor> qkv) {
        super(qkv, Torch.tensor(Inputs.normal("dy", p.size()), Problem.wide(p.shape())));
        this.qkv = qkv;
    }

    private static Tensor input(String name, Problem.Attend p) {
        return Torch.leaf(Inputs.normal(name, p.size()), Problem.wide(p.shape()));
    }

    @Override
    Tensor forward() {
        return attend(qkv.get(0), qkv.get(1), qkv.get(2), true);
    }

    /// Attends. Shapes: (B, T, H, D), (B, S, H, D) twice → (B, T, H, D).
    static Tensor attend(Tensor q, Tensor k, Tensor v, boolean isCausal) {
        return torch.scaled_dot_product_attention(
                        q.transpose(1, 2),
                        k.transpose(1, 2),
                        v.transpose(1, 2),
                        new TensorOptional(),
                        0,
                        isCausal,
                        new DoubleOptional(),
                        false)
                .transpose(1, 2);
    }
}
