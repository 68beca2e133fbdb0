package io.github.panagrad.nn.retrieval;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Texts, kept as the states of their tokens, among which those nearest to a query are found.
///
/// Every text is compared with: for some thousand short ones. Memory is a vector a token.
///
/// ```java
/// var index = TokenIndex.of(encoder, tokenizer, facts);
/// String fact = facts.get(index.nearest("What do bees make?", 1).getFirst().text());
/// ```
public final class TokenIndex {
    private static final int ROWS = 32;

    private final BertModel encoder;
    private final Tokenizer tokenizer;
    private final List<Part> parts = new ArrayList<>();

    /// Encoded texts. Shapes: states (D, S, C), mask (D, S).
    private record Part(int first, Tensor states, Tensor mask) {}

    /// A text that was found.
    ///
    /// @param text its number among the texts
    /// @param score as [LateInteraction#maxSim] gives it
    public record Hit(int text, double score) {}

    private TokenIndex(BertModel encoder, Tokenizer tokenizer) {
        this.encoder = encoder;
        this.tokenizer = tokenizer;
    }

    /// Encodes texts, cut to the encoder's context.
    ///
    /// @throws PanagradException if there are none
    public static TokenIndex of(BertModel encoder, Tokenizer tokenizer, List<String> texts) {
        if (texts.isEmpty()) {
            throw new PanagradException("tokenIndex", "no texts", "", "at least one", "");
        }
        var index = new TokenIndex(encoder, tokenizer);
        for (int from = 0; from < texts.size(); from += ROWS) {
            int to = Math.min(from + ROWS, texts.size());
            index.parts.add(index.encode(from, texts.subList(from, to)));
        }
        return index;
    }

    private Part encode(int first, List<String> texts) {
        int longest = encoder.config().maxPositions();
        List<int[]> rows =
                texts.stream()
                        .map(tokenizer::encode)
                        .map(row -> row.length <= longest ? row : Arrays.copyOf(row, longest))
                        .toList();
        BertInput input = BertInput.of(rows, encoder.config().padId());
        Tensor states =
                Ops.noGrad(() -> Ops.scope(() -> encoder.hidden(input, Context.EMPTY))).keep();
        return new Part(first, states, input.mask());
    }

    /// Returns the texts nearest to a query, the nearest first.
    ///
    /// @param count how many at most
    public List<Hit> nearest(String query, int count) {
        Part asked = encode(0, List.of(query));
        var hits = new ArrayList<Hit>();
        for (Part part : parts) {
            double[] scores =
                    Ops.noGrad(() ->
                            Ops.scope(() ->
                                    LateInteraction.maxSim(
                                                    asked.states(),
                                                    asked.mask(),
                                                    part.states(),
                                                    part.mask())
                                            .toDoubles()));
            IntStream.range(0, scores.length)
                    .forEach(i -> hits.add(new Hit(part.first() + i, scores[i])));
        }
        hits.sort(Comparator.comparingDouble(Hit::score).reversed());
        return List.copyOf(hits.subList(0, Math.min(count, hits.size())));
    }
}
