package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import java.util.List;

/// Our attention.
final class OwnAttention extends OwnFunction {
    private final List<Tensor> qkv;

    OwnAttention(Problem.Attend p) {
        this(p, List.of(input("q", p), input("k", p), input("v", p)));
    }

    private OwnAttention(Problem.Attend p, List<Tensor> qkv) {
        super(qkv, Ops.tensor(Inputs.normal("dy", p.size()), p.shape()));
        this.qkv = qkv;
    }

    private static Tensor input(String name, Problem.Attend p) {
        return leaf(name, Inputs.normal(name, p.size()), p.shape());
    }

    @Override
    Tensor forward() {
        return Ops.attention(qkv.get(0), qkv.get(1), qkv.get(2), AttentionOptions.causal());
    }
}
