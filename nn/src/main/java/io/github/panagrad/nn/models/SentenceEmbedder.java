package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.io.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Turns sentences into vectors of length 1, whose products say how near they are in meaning
/// (Reimers, Gurevych, arXiv 1908.10084).
///
/// @param encoder the encoder
/// @param tokenizer the encoder's tokenizer
/// @param pooling how hidden states become one vector
public record SentenceEmbedder(BertModel encoder, Tokenizer tokenizer, Pooling pooling) {
    private static final double SHORTEST = 1e-12;

    /// Loads an encoder and its tokenizer from a folder, with mean pooling.
    public static SentenceEmbedder load(Path folder) {
        BertModel encoder = BertModel.load(folder);
        Tokenizer tokenizer = Tokenizer.load(folder);
        tokenizer.requireFits(encoder.config().vocabSize(), "encoder");
        return new SentenceEmbedder(encoder, tokenizer, Pooling.MEAN);
    }

    /// Encodes sentences, cut to the encoder's context. Not recorded for backward.
    ///
    /// Shapes: n sentences → (n, C).
    public Tensor embed(List<String> sentences) {
        int longest = encoder.config().maxPositions();
        List<int[]> rows =
                sentences.stream()
                        .map(tokenizer::encode)
                        .map(row -> row.length <= longest ? row : cut(row, longest))
                        .toList();
        BertInput input = BertInput.of(rows, encoder.config().padId());
        return Ops.noGrad(() -> Ops.scope(() -> embed(input, Context.EMPTY)));
    }

    /// Keeps the closing special token.
    private static int[] cut(int[] row, int length) {
        int[] kept = Arrays.copyOf(row, length);
        kept[length - 1] = row[row.length - 1];
        return kept;
    }

    /// Encodes rows of tokens. Shapes: ids (B, T) → (B, C).
    public Tensor embed(BertInput input, Context context) {
        return normalised(pooling.pool(encoder.hidden(input, context), input.mask()));
    }

    /// Scales rows to length 1. Shapes: (…, C) → (…, C).
    public static Tensor normalised(Tensor rows) {
        return rows.mul(rows.square().sum(-1, true).add(SHORTEST * SHORTEST).rsqrt());
    }
}
