package io.github.panagrad.bench.natives;

import io.github.panagrad.bench.peers.Problem;
import io.github.panagrad.bench.peers.Side;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A training step in libtorch.
final class TorchStep implements Side {
    private final Problem.Step p;
    private final TorchLlama model;
    private final Tensor ids;
    private final Tensor targets;
    private final List<Tensor> trainable;
    private final TorchAdamW optimizer;

    TorchStep(Problem.Step p) {
        this.p = p;
        model = new TorchLlama(p.model(), p.rank());
        ids = Torch.indices(p.ids(), p.batch(), p.tokens());
        targets = Torch.indices(p.targets(), (long) p.batch() * p.tokens());
        trainable = model.trainable();
        optimizer = new TorchAdamW(trainable, Problem.Step.LR);
    }

    @Override
    public void run() {
        step();
    }

    /// Takes a step and returns loss and gradient norm.
    private float[] step() {
        try (var _ = new PointerScope()) {
            Tensor logits = model.logits(model.hidden(ids, TorchCache.NONE));
            Tensor loss =
                    torch.cross_entropy_loss(
                            logits.view((long) p.batch() * p.tokens(), p.model().vocabulary()),
                            targets);
            IValue grads = TorchAdamW.list(Torch.grad(loss, null, trainable));
            Tensor norm;
            try (var _ = new NoGradGuard()) {
                norm = optimizer.clip(grads, Problem.Step.MAX_NORM);
            }
            optimizer.step(grads);
            return new float[] {loss.item_float(), norm.item_float()};
        }
    }

    @Override
    public List<float[]> results() {
        return List.of(step(), step(), step());
    }
}
