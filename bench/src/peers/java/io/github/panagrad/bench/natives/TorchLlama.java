package io.github.panagrad.bench.natives;

import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.rms_norm;
import static org.bytedeco.pytorch.global.torch.silu;

import io.github.panagrad.bench.peers.Llama;
import io.github.panagrad.bench.peers.Problem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;

/// A Llama in libtorch's functions: fused attention, no copies that can be avoided.
final class TorchLlama {
    private final Llama sizes;
    private final TorchRope rope;
    private final Map<String, Tensor> weights = new LinkedHashMap<>();
    private final Map<String, Tensor> detours = new LinkedHashMap<>();
    private final DoubleOptional eps;
    private final Scalar detourScale = new Scalar(Problem.Step.LORA_SCALE);

    /// @param rank of the detours; 0 for none, and then the weights want gradients
    TorchLlama(Llama sizes, int rank) {
        this.sizes = sizes;
        rope = new TorchRope(sizes.positions(), sizes.channels());
        eps = new DoubleOptional(sizes.eps());
        for (Llama.Weight weight : sizes.weights()) {
            weights.put(weight.name(), tensor(weight).set_requires_grad(rank == 0));
        }
        if (rank > 0) {
            for (Llama.Weight weight : sizes.detours(rank)) {
                detours.put(weight.name(), tensor(weight).set_requires_grad(true));
            }
        }
    }

    private static Tensor tensor(Llama.Weight weight) {
        return Torch.tensor(weight.draw(), Problem.wide(weight.shape()));
    }

    /// Returns what is trained.
    List<Tensor> trainable() {
        return new ArrayList<>((detours.isEmpty() ? weights : detours).values());
    }

    private Tensor weight(String name) {
        Tensor weight = weights.get(name);
        if (weight == null) {
            throw new IllegalStateException(name);
        }
        return weight;
    }

    private Tensor norm(Tensor x, String name) {
        long[] width = {sizes.width()};
        return rms_norm(x, width, new TensorOptional(weight(name)), eps);
    }

    private Tensor project(Tensor x, String layer) {
        Tensor y = linear(x, weight(layer + ".weight"));
        Tensor a = detours.get(layer + ".lora_A.weight");
        Tensor b = detours.get(layer + ".lora_B.weight");
        return a == null || b == null ? y : y.add(linear(linear(x, a), b), detourScale);
    }

    /// Computes the last hidden state, from an empty cache or none. Shapes: (B, T) → (B, T, C).
    Tensor hidden(Tensor ids, TorchCache cache) {
        long rows = ids.size(0);
        long count = ids.size(1);
        long[] split = {rows, count, sizes.heads(), sizes.channels()};
        Tensor h = embedding(weight("model.embed_tokens.weight"), ids);
        for (int i = 0; i < sizes.layers(); i++) {
            String at = "model.layers." + i + ".";
            Tensor x = norm(h, at + "input_layernorm.weight");
            long first = cache.length();
            Tensor q = rope.turn(project(x, at + "self_attn.q_proj").view(split), first);
            Tensor k = rope.turn(project(x, at + "self_attn.k_proj").view(split), first);
            Tensor v = project(x, at + "self_attn.v_proj").view(split);
            Tensor y =
                    TorchAttention.attend(q, cache.keys(i, k), cache.values(i, v), count > 1)
                            .reshape(rows, count, sizes.width());
            h = h.add(project(y, at + "self_attn.o_proj"));
            x = norm(h, at + "post_attention_layernorm.weight");
            Tensor gated =
                    silu(project(x, at + "mlp.gate_proj")).mul(project(x, at + "mlp.up_proj"));
            h = h.add(project(gated, at + "mlp.down_proj"));
        }
        return norm(h, "model.norm.weight");
    }

    /// Turns hidden states into logits. Shapes: (…, C) → (…, V).
    Tensor logits(Tensor hidden) {
        return linear(hidden, weight("model.embed_tokens.weight"));
    }
}
