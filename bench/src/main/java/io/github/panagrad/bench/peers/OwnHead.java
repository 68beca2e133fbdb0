package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.Losses;
import java.util.List;

/// Our linear head with its loss: exact, with the memory budget that is the default.
final class OwnHead extends OwnFunction {
    private final Problem.Head p;
    private final List<Tensor> in;
    private final Tensor targets;

    OwnHead(Problem.Head p) {
        this(
                p,
                List.of(
                        leaf("hidden", p.hidden(), p.tokens(), p.width()),
                        leaf("weight", p.weight(), p.vocabulary(), p.width())));
    }

    private OwnHead(Problem.Head p, List<Tensor> in) {
        super(in, null);
        this.p = p;
        this.in = in;
        targets = Ops.indices(p.targets(), p.tokens());
    }

    @Override
    Tensor forward() {
        return Losses.linearCrossEntropy(in.get(0), in.get(1), targets);
    }

    @Override
    public long extraBytes() {
        return super.extraBytes() - p.gradientBytes();
    }
}
