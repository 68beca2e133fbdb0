package io.github.panagrad.bench.peers;

import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.CausalLM;
import java.util.List;

/// Our greedy decoding.
final class OwnDecode implements Side {
    private final Problem.Decode p;
    private final CausalLM model;

    OwnDecode(Problem.Decode p) {
        this.p = p;
        model = OwnModel.create(p.model());
    }

    @Override
    public void run() {
        decode();
    }

    private int[] decode() {
        return model.generate(p.promptIds(), Sampling.greedy().maxTokens(p.tokens()), id -> {});
    }

    @Override
    public List<float[]> results() {
        int[] chosen = decode();
        float[] values = new float[chosen.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = chosen[i];
        }
        return List.of(values);
    }
}
