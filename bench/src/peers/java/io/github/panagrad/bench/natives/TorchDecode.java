package io.github.panagrad.bench.natives;

import io.github.panagrad.bench.peers.Problem;
import io.github.panagrad.bench.peers.Side;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;

/// Greedy decoding in libtorch.
final class TorchDecode implements Side {
    private final Problem.Decode p;
    private final TorchLlama model;
    private final TorchCache cache;

    TorchDecode(Problem.Decode p) {
        this.p = p;
        model = new TorchLlama(p.model(), 0);
        cache = new TorchCache(p.model(), p.prompt() + p.tokens());
    }

    @Override
    public void run() {
        decode();
    }

    private float[] decode() {
        float[] chosen = new float[p.tokens()];
        cache.clear();
        int[] next = p.promptIds();
        for (int i = 0; i < chosen.length; i++) {
            int token;
            try (var _ = new PointerScope();
                    var _ = new InferenceMode(true)) {
                Tensor ids = Torch.indices(next, 1, next.length);
                Tensor h = model.hidden(ids, cache);
                cache.advance(next.length);
                token = (int) model.logits(h.narrow(1, next.length - 1, 1)).argmax().item_long();
            }
            chosen[i] = token;
            next = new int[] {token};
        }
        return chosen;
    }

    @Override
    public List<float[]> results() {
        return List.of(decode());
    }
}
