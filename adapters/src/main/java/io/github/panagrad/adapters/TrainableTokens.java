package io.github.panagrad.adapters;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Embedding;
import io.github.panagrad.nn.layers.Linear;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Trains the vectors of some tokens, such as ones that are new, and leaves all others as they are
/// (PEFT's trainable tokens). A head that is tied to the embedding has the same vectors.
///
/// The vectors that are trained stand in for those of the table, they are not added to them.
///
/// ```java
/// var adapter = TrainableTokens.of(32000, 32001).attach(model, "**.embed_tokens");
/// ```
///
/// @param tokens the tokens whose vectors are trained, each once
public record TrainableTokens(List<Integer> tokens) implements AdapterMethod {
    static final String PEFT_TYPE = "TRAINABLE_TOKENS";

    private static final String INDICES = "token_indices";

    /// Copies the list and checks it.
    public TrainableTokens {
        tokens = List.copyOf(tokens);
        if (tokens.isEmpty() || new HashSet<>(tokens).size() < tokens.size()) {
            throw new PanagradException(
                    "trainable tokens",
                    tokens.isEmpty() ? "no token" : "a token comes twice",
                    tokens.toString(),
                    "at least one token, each once",
                    "");
        }
    }

    /// Trains the vectors of these tokens.
    public static TrainableTokens of(int... tokens) {
        return new TrainableTokens(IntStream.of(tokens).boxed().toList());
    }

    @Override
    public Class<? extends Layer> layerType() {
        return Embedding.class;
    }

    @Override
    public Map<String, Layer> companions(Module model, Map<String, Layer> targets) {
        var tied = new LinkedHashMap<String, Layer>();
        model.modules()
                .forEach((path, module) -> {
                    if (module instanceof Linear head && isTied(head, targets)) {
                        tied.put(path, head);
                    }
                });
        return tied;
    }

    private static boolean isTied(Linear head, Map<String, Layer> targets) {
        return targets.values().stream()
                .anyMatch(t -> t instanceof Embedding e && e.weight() == head.weight());
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        int[] ids = tokens.stream().mapToInt(Integer::intValue).toArray();
        var owners = new LinkedHashMap<Parameter, TokenRows>();
        targets.forEach((path, layer) -> {
            if (layer instanceof Embedding embedding) {
                requireTokens(path, embedding.weight().dim(0));
                owners.put(embedding.weight(), new TokenRows(ids, embedding.weight()));
            }
        });
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach((path, layer) -> {
            if (layer instanceof Embedding embedding) {
                layers.put(path, rowsOf(owners, embedding.weight()));
            } else if (layer instanceof Linear head) {
                layers.put(path, rowsOf(owners, head.weight()).ofHead());
            }
        });
        return new Parts(layers);
    }

    private static TokenRows rowsOf(Map<Parameter, TokenRows> owners, Parameter weight) {
        TokenRows rows = owners.get(weight);
        if (rows == null) {
            throw new IllegalStateException("a head without its embedding");
        }
        return rows;
    }

    private void requireTokens(String path, int count) {
        for (int token : tokens) {
            if (token < 0 || token >= count) {
                throw new PanagradException(
                        "trainable tokens",
                        "no such token in " + path,
                        "" + token,
                        "0 to " + (count - 1),
                        "does the tokenizer belong to the model?");
            }
        }
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public JsonObject config() {
        return JsonObject.of(INDICES, tokens, "init_weights", true);
    }

    @Override
    public JsonObject config(Parts parts) {
        var embeddings = new ArrayList<String>();
        parts.layers()
                .forEach((path, part) -> {
                    if (part instanceof TokenRows) {
                        embeddings.add(path);
                    }
                });
        return config().with("target_modules", embeddings);
    }

    static TrainableTokens read(JsonObject config) {
        Object named = config.get(INDICES);
        if (!(named instanceof List<?> list) || !list.stream().allMatch(Number.class::isInstance)) {
            throw config.error(INDICES, "not a list of tokens: " + named, "[32000, 32001]", "");
        }
        return new TrainableTokens(list.stream().map(n -> ((Number) n).intValue()).toList());
    }
}
