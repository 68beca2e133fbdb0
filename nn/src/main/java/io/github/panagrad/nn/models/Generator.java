package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Scope;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.generate.Sampler;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.StreamingDecoder;
import io.github.panagrad.nn.io.Tokenizer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/// Generates token after token with a key-value cache.
final class Generator {
    private Generator() {}

    static String text(
            CausalLM model,
            Tokenizer tokenizer,
            String prompt,
            Sampling sampling,
            Consumer<String> listener) {
        StreamingDecoder decoder = tokenizer.stream();
        var all = new StringBuilder();
        Consumer<String> give =
                piece -> {
                    if (!piece.isEmpty()) {
                        all.append(piece);
                        listener.accept(piece);
                    }
                };
        int[] ids = tokenizer.encode(prompt);
        // The decoder sees the prompt first: what a token decodes to depends on those before it.
        for (int id : ids) {
            decoder.push(id);
        }
        Sampling ending =
                tokenizer.eosId().isPresent()
                        ? sampling.stopToken(tokenizer.eosId().getAsInt())
                        : sampling;
        tokens(model, ids, ending, id -> give.accept(decoder.push(id)));
        give.accept(decoder.finish());
        return all.toString();
    }

    static int[] tokens(CausalLM model, int[] prompt, Sampling sampling, IntConsumer listener) {
        int context = model.config().maxPositions();
        if (prompt.length == 0 || prompt.length > context) {
            throw new PanagradException(
                    "generate",
                    "the prompt does not fit",
                    prompt.length + " tokens",
                    "1 to " + context,
                    "");
        }
        Set<Integer> stops = new HashSet<>(sampling.stopTokens());
        stops.addAll(model.config().eosIds());
        var sampler = new Sampler(sampling);
        Arrays.stream(prompt).forEach(sampler::see);
        // The last token chosen is not read any more, so it may stand beyond the context.
        int most = Math.min(sampling.maxTokens(), context - prompt.length + 1);
        int[] chosen = new int[most];
        boolean wasTraining = model.isTraining();
        model.training(false);
        try {
            KvCache cache = model.cache(Math.min(context, prompt.length + most));
            int[] next = prompt;
            for (int i = 0; i < most; i++) {
                int token = sampler.next(logits(model, next, cache));
                if (stops.contains(token)) {
                    return Arrays.copyOf(chosen, i);
                }
                chosen[i] = token;
                listener.accept(token);
                next = new int[] {token};
            }
            return chosen;
        } finally {
            model.training(wasTraining);
        }
    }

    private static float[] logits(CausalLM model, int[] ids, KvCache cache) {
        return Scope.scope(
                "generate",
                () ->
                        Ops.noGrad(() -> {
                            Tensor h = model.hidden(Ops.indices(ids, ids.length), cache);
                            Tensor last = h.narrow(1, ids.length - 1, 1);
                            return model.logits(last).toFloats();
                        }));
    }
}
