package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Embedding;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Prompt tuning: some learned embeddings stand before those of the tokens, and nothing else is
/// trained (Lester et al., arXiv 2104.08691).
///
/// ```java
/// var adapter = PromptTuning.tokens(20).text(model.tokenizer().encode("Tell a story:")).attach(model);
/// ```
///
/// The model's context is shorter by the prompt. In packed rows, each sequence has the prompt before
/// it.
public final class PromptTuning implements AdapterMethod {
    static final String PEFT_TYPE = "PROMPT_TUNING";
    static final String NAME = "prompt_embeddings";

    private static final double STD = 0.02;

    private final int tokens;
    private final int[] text;
    private final long seed;

    private PromptTuning(int tokens, int[] text, long seed) {
        if (tokens < 1) {
            throw new PanagradException(
                    "prompt tuning", "out of range", "tokens " + tokens, "at least 1", "");
        }
        this.tokens = tokens;
        this.text = text;
        this.seed = seed;
    }

    /// Starts with a number of embeddings, drawn at random.
    public static PromptTuning tokens(int count) {
        return new PromptTuning(count, new int[0], 0);
    }

    /// Starts from the embeddings of these tokens, over and over until the prompt is full.
    public PromptTuning text(int... ids) {
        return new PromptTuning(tokens, ids.clone(), seed);
    }

    /// Sets the seed of random embeddings.
    public PromptTuning seed(long value) {
        return new PromptTuning(tokens, text, value);
    }

    /// Attaches to the model's embedding, blocks and last normalisation.
    public Adapter attach(Module model) {
        return attach(model, usualTargets());
    }

    /// Returns where the prompt goes in (the embedding), where its positions count (the blocks), and
    /// where it goes out again (the last normalisation).
    @Override
    public PathPattern usualTargets() {
        return PathPattern.anyOf(List.of("**.embed_tokens", "**.layers.*", "**.norm"));
    }

    @Override
    public Class<? extends Layer> layerType() {
        return Layer.class;
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public String sharedPrefix() {
        return "";
    }

    /// The learned embeddings.
    private static final class Prompt extends Module {
        private final Parameter embeddings;

        private Prompt(Tensor initial) {
            embeddings = parameter(NAME, initial);
        }
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        Embedding embedding =
                targets.values().stream()
                        .filter(Embedding.class::isInstance)
                        .map(Embedding.class::cast)
                        .findFirst()
                        .orElseThrow(() ->
                                new PanagradException(
                                        "prompt tuning",
                                        "the layers chosen have no embedding among them",
                                        targets.keySet().toString(),
                                        "such as " + usualTargets(),
                                        "call attach(model)"));
        var prompt = new Prompt(initial(embedding.weight()));
        var pass = new PromptLayer.Pass();
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach((path, layer) ->
                layers.put(path, new PromptLayer(place(path, layer), prompt.embeddings, pass)));
        return new Parts(layers, prompt);
    }

    private static PromptLayer.Place place(String path, Layer layer) {
        if (layer instanceof Embedding) {
            return PromptLayer.Place.IN;
        }
        String last = path.substring(path.lastIndexOf('.') + 1);
        return last.chars().allMatch(Character::isDigit)
                ? PromptLayer.Place.BETWEEN
                : PromptLayer.Place.OUT;
    }

    private Tensor initial(Parameter embeddings) {
        int width = embeddings.dim(1);
        if (text.length == 0) {
            return Init.normal(0, STD).draw(Shape.of(tokens, width), Rng.of(seed));
        }
        int[] rows = new int[tokens];
        for (int i = 0; i < tokens; i++) {
            rows[i] = text[i % text.length];
        }
        return embeddings
                .detach()
                .indexSelect(0, Ops.indices(rows, tokens))
                .to(embeddings.dtype().widened());
    }

    @Override
    public JsonObject config() {
        return JsonObject.of(
                "num_virtual_tokens",
                tokens,
                "num_transformer_submodules",
                1,
                "prompt_tuning_init",
                text.length == 0 ? "RANDOM" : "TEXT");
    }

    static PromptTuning read(JsonObject config) {
        return tokens(config.integer("num_virtual_tokens"));
    }
}
