package io.github.panagrad.bench.peers;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.CausalLM;
import java.util.HashMap;
import java.util.List;

/// Makes our model of given sizes with given weights.
final class OwnModel {
    private OwnModel() {}

    static CausalLM create(Llama sizes) {
        var config =
                JsonObject.of(
                        "model_type", "llama",
                        "vocab_size", (long) sizes.vocabulary(),
                        "hidden_size", (long) sizes.width(),
                        "intermediate_size", (long) sizes.inner(),
                        "num_hidden_layers", (long) sizes.layers(),
                        "num_attention_heads", (long) sizes.heads(),
                        "max_position_embeddings", (long) sizes.positions(),
                        "rms_norm_eps", sizes.eps(),
                        "tie_word_embeddings", true);
        CausalLM model = CausalLM.create(ModelConfig.of(config), 0);
        fill(model, sizes.weights());
        return model;
    }

    /// Overwrites the parameters of these names, which do not tell whose adapter one belongs to.
    static void fill(Module model, List<Llama.Weight> weights) {
        var parameters = new HashMap<String, Parameter>();
        model.parameters()
                .forEach((path, p) ->
                        parameters.put(path.replace("." + Adapter.DEFAULT_NAME + ".", "."), p));
        for (Llama.Weight weight : weights) {
            Parameter p = parameters.get(weight.name());
            if (p == null) {
                throw new IllegalStateException(weight + " is not in " + parameters.keySet());
            }
            Ops.scope(() -> p.assign(Ops.tensor(weight.draw(), weight.shape())));
        }
    }
}
