package io.github.panagrad.bench.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The sizes of a model of the Llama family with tied embeddings and as many key as query heads.
///
/// Names and shapes of the weights are those of the common model files.
public record Llama(
        int vocabulary, int width, int inner, int layers, int heads, int positions, double eps) {
    /// The model of 15 million parameters that writes children's stories.
    public static final Llama STORIES_15M = new Llama(32000, 288, 768, 6, 6, 256, 1e-5);

    /// A matrix or vector of the model.
    ///
    /// @param rows 0 for a vector
    public record Weight(String name, int rows, int columns) {
        /// Returns the extents.
        public int[] shape() {
            return rows == 0 ? new int[] {columns} : new int[] {rows, columns};
        }

        /// Returns how many numbers it has.
        public int size() {
            return Math.max(1, rows) * columns;
        }

        /// Draws it: normal with deviation 0.02; vectors, which belong to norms, are ones.
        public float[] draw() {
            if (rows > 0) {
                return Inputs.scaled(name, size(), 0.02);
            }
            float[] ones = new float[columns];
            Arrays.fill(ones, 1);
            return ones;
        }
    }

    /// Returns the same model for sequences of another length.
    public Llama positions(int count) {
        return new Llama(vocabulary, width, inner, layers, heads, count, eps);
    }

    /// Returns the channels of a head.
    public int channels() {
        return width / heads;
    }

    /// Returns all weights in order.
    public List<Weight> weights() {
        var weights = new ArrayList<Weight>();
        weights.add(new Weight("model.embed_tokens.weight", vocabulary, width));
        for (int i = 0; i < layers; i++) {
            String at = "model.layers." + i + ".";
            weights.add(new Weight(at + "input_layernorm.weight", 0, width));
            for (String name : new String[] {"q_proj", "k_proj", "v_proj", "o_proj"}) {
                weights.add(new Weight(at + "self_attn." + name + ".weight", width, width));
            }
            weights.add(new Weight(at + "post_attention_layernorm.weight", 0, width));
            weights.add(new Weight(at + "mlp.gate_proj.weight", inner, width));
            weights.add(new Weight(at + "mlp.up_proj.weight", inner, width));
            weights.add(new Weight(at + "mlp.down_proj.weight", width, inner));
        }
        weights.add(new Weight("model.norm.weight", 0, width));
        return weights;
    }

    /// Returns low-rank detours for all linear layers of the blocks; no half is drawn as zero, so
    /// that both learn at once.
    public List<Weight> detours(int rank) {
        var detours = new ArrayList<Weight>();
        for (Weight weight : weights()) {
            if (weight.name().endsWith("_proj.weight")) {
                String layer = weight.name().substring(0, weight.name().lastIndexOf('.') + 1);
                detours.add(new Weight(layer + "lora_A.weight", rank, weight.columns()));
                detours.add(new Weight(layer + "lora_B.weight", weight.rows(), rank));
            }
        }
        return detours;
    }

    /// Returns how many weights there are.
    public long size() {
        return weights().stream().mapToLong(Weight::size).sum();
    }
}
