package io.github.panagrad.bench.peers;

import java.util.LinkedHashMap;
import java.util.Map;

/// The sizes of a model of the Llama family with tied embeddings and as many key as query heads.
///
/// Names and shapes of the weights are those of the common model files.
public record Llama(
        int vocabulary, int width, int inner, int layers, int heads, int positions, double eps) {
    /// The model of 15 million parameters that writes children's stories.
    public static final Llama STORIES_15M = new Llama(32000, 288, 768, 6, 6, 256, 1e-5);

    /// Returns a copy for longer sequences.
    public Llama positions(int count) {
        return new Llama(vocabulary, width, inner, layers, heads, count, eps);
    }

    /// Returns the channels of a head.
    public int channels() {
        return width / heads;
    }

    /// Returns the shapes of all weights by name, in order.
    public Map<String, int[]> shapes() {
        var shapes = new LinkedHashMap<String, int[]>();
        shapes.put("model.embed_tokens.weight", new int[] {vocabulary, width});
        for (int i = 0; i < layers; i++) {
            String at = "model.layers." + i + ".";
            shapes.put(at + "input_layernorm.weight", new int[] {width});
            for (String name : new String[] {"q_proj", "k_proj", "v_proj", "o_proj"}) {
                shapes.put(at + "self_attn." + name + ".weight", new int[] {width, width});
            }
            shapes.put(at + "post_attention_layernorm.weight", new int[] {width});
            shapes.put(at + "mlp.gate_proj.weight", new int[] {inner, width});
            shapes.put(at + "mlp.up_proj.weight", new int[] {inner, width});
            shapes.put(at + "mlp.down_proj.weight", new int[] {width, inner});
        }
        shapes.put("model.norm.weight", new int[] {width});
        return shapes;
    }

    /// Returns the weights by name: normal with deviation 0.02, those of norms 1.
    public Map<String, float[]> weights() {
        var weights = new LinkedHashMap<String, float[]>();
        shapes().forEach((name, shape) -> {
            boolean norm = shape.length == 1;
            int size = norm ? shape[0] : shape[0] * shape[1];
            float[] values = Inputs.normal(name, size);
            for (int i = 0; i < size; i++) {
                values[i] = norm ? 1 : 0.02f * values[i];
            }
            weights.put(name, values);
        });
        return weights;
    }

    /// Returns how many weights there are.
    public long size() {
        return shapes().values().stream()
                .mapToLong(shape -> shape.length == 1 ? shape[0] : (long) shape[0] * shape[1])
                .sum();
    }
}
