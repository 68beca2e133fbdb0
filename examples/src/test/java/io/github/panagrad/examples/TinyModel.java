package io.github.panagrad.examples;

import io.github.panagrad.examples.quickstart.StoryModel;
import io.github.panagrad.examples.tokenizer.BytePairTrainer;
import io.github.panagrad.examples.tokenizer.TokenizerFile;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Path;
import java.util.List;

/// A model with random weights, as small as they come, in a folder.
public final class TinyModel {
    static final int CONTEXT = 32;

    private TinyModel() {}

    /// Writes it to a folder.
    public static Path write(Path folder) {
        var trainer = new BytePairTrainer();
        StoryModel.stories(1, 200).forEach(trainer::read);
        TokenizerFile.of(trainer.learn(320)).write(folder.resolve("tokenizer.json"));
        JsonObject config =
                JsonObject.of(
                        "architectures", List.of("LlamaForCausalLM"),
                        "model_type", "llama",
                        "hidden_size", 16,
                        "intermediate_size", 32,
                        "num_hidden_layers", 2,
                        "num_attention_heads", 2,
                        "num_key_value_heads", 1,
                        "max_position_embeddings", CONTEXT,
                        "vocab_size", 320,
                        "tie_word_embeddings", true,
                        "bos_token_id", 1,
                        "eos_token_id", 2);
        config.write(folder.resolve("config.json"));
        CausalLM model = CausalLM.create(ModelConfig.of(config), 1);
        model.tokenizer(Tokenizer.load(folder));
        model.save(folder);
        return folder;
    }
}
