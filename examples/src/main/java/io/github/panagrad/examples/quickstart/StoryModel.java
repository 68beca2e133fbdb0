package io.github.panagrad.examples.quickstart;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.tokenizer.BytePairTrainer;
import io.github.panagrad.examples.tokenizer.TokenizerFile;
import io.github.panagrad.examples.world.Story;
import io.github.panagrad.examples.world.Storyteller;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A small Llama that tells the stories of [io.github.panagrad.examples.world].
///
/// The one in the jar was made by the `pretrain` command, on stories that follow from a seed.
public final class StoryModel {
    /// Files of the model in the jar.
    private static final List<String> FILES =
            List.of("config.json", "tokenizer.json", "model.safetensors");

    private static final int VOCABULARY = 768;
    private static final int WIDTH = 160;
    private static final int HEAD = 32;
    private static final int LAYERS = 4;
    private static final int CONTEXT = 256;
    private static final int TOKENIZER_STORIES = 20_000;
    private static final String TOKENIZER_FILE = "tokenizer.json";

    private StoryModel() {}

    /// Tells stories to train on, each with how things stood at the end.
    public static List<String> stories(long seed, int count) {
        var teller = new Storyteller(seed);
        List<String> stories = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Story story = teller.tell();
            stories.add(story.narration());
        }
        return stories;
    }

    /// Makes a tokenizer from stories and a model with random weights, in a folder.
    ///
    /// @param seed decides the weights
    public static CausalLM create(Path folder, long seed) {
        var trainer = new BytePairTrainer();
        stories(seed, TOKENIZER_STORIES).forEach(trainer::read);
        // the words of the task to come, so that they are whole tokens as well
        trainer.read(" Question: Answer: Question: Answer: Question: Answer:");
        TokenizerFile.of(trainer.learn(VOCABULARY)).write(folder.resolve(TOKENIZER_FILE));
        JsonObject config = config();
        config.write(folder.resolve(ModelConfig.FILE));
        CausalLM model = CausalLM.create(ModelConfig.of(config), seed);
        model.tokenizer(Tokenizer.load(folder));
        return model;
    }

    private static JsonObject config() {
        return JsonObject.of(
                "architectures",
                List.of("LlamaForCausalLM"),
                "model_type",
                "llama",
                "hidden_size",
                WIDTH,
                "intermediate_size",
                3 * WIDTH,
                "num_hidden_layers",
                LAYERS,
                "num_attention_heads",
                WIDTH / HEAD,
                "num_key_value_heads",
                WIDTH / HEAD,
                "head_dim",
                HEAD,
                "hidden_act",
                "silu",
                "rms_norm_eps",
                1e-5,
                "rope_theta",
                10_000.0,
                "max_position_embeddings",
                CONTEXT,
                "vocab_size",
                VOCABULARY,
                "tie_word_embeddings",
                true,
                "attention_bias",
                false,
                "mlp_bias",
                false,
                "initializer_range",
                0.02,
                "bos_token_id",
                1,
                "eos_token_id",
                2,
                "pad_token_id",
                0,
                "torch_dtype",
                "bfloat16");
    }

    /// Encodes stories, each with the token that ends a text.
    public static List<Example> examples(List<String> stories, Tokenizer tokenizer) {
        int end = tokenizer.eosId().orElseThrow();
        return stories.stream()
                .map(story -> {
                    int[] ids = tokenizer.encode(story);
                    int[] ended = Arrays.copyOf(ids, ids.length + 1);
                    ended[ids.length] = end;
                    return Example.of(ended);
                })
                .toList();
    }

    /// Copies the model in the jar to a folder, as files like those of any other model.
    ///
    /// @throws PanagradException if the jar has none
    public static void unpack(Path folder) {
        try {
            Files.createDirectories(folder);
            for (String name : FILES) {
                try (InputStream file = StoryModel.class.getResourceAsStream(name)) {
                    if (file == null) {
                        throw new PanagradException(
                                "quickstart: the jar has no "
                                        + name
                                        + "; make the model with the pretrain command");
                    }
                    Files.copy(file, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        } catch (IOException unwritable) {
            throw new UncheckedIOException(unwritable);
        }
    }
}
