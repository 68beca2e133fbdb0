package io.github.panagrad.bench.natives;

import io.github.panagrad.bench.peers.Problem;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// libtorch's linear layer and cross-entropy.
final class TorchHead extends TorchFunction {
    private final Problem.Head p;
    private final List<Tensor> in;
    private final Tensor targets;

    TorchHead(Problem.Head p) {
        this(
                p,
                List.of(
                        Torch.leaf(p.hidden(), p.tokens(), p.width()),
                        Torch.leaf(p.weight(), p.vocabulary(), p.width())));
    }

    private TorchHead(Problem.Head p, List<Tensor> in) {
        super(in, null);
        this.p = p;
        this.in = in;
        targets =
                Torch.indices(p.targets(), p.tokens());
    }

    @Override
    Tensor forward() {
        return torch.cross_entropy_loss(torch.linear(in.get(0), in.get(1)), targets);
    }

    @Override
    public long extraBytes() {
        return super.extraBytes() - p.gradientBytes();
    }
}
