package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.util.Arrays;
import java.util.List;

/// Labelled texts as an encoder reads them.
///
/// @param rows the tokens of each text
/// @param labels the number of each text's label; not to be modified
@SuppressWarnings("ArrayRecordComponent")
record EncodedTexts(List<int[]> rows, int[] labels) {
    /// Encodes texts.
    ///
    /// @param names the labels in the order of their numbers
    /// @param most how many tokens of a text are kept
    static EncodedTexts of(LabelledTexts texts, Tokenizer tokenizer, List<String> names, int most) {
        List<int[]> rows =
                texts.texts().stream()
                        .map(tokenizer::encode)
                        .map(row -> row.length <= most ? row : Arrays.copyOf(row, most))
                        .toList();
        return new EncodedTexts(rows, texts.numbers(names));
    }

    /// Returns some of the rows with their labels.
    Labelled batch(int[] which) {
        int[] own = Arrays.stream(which).map(i -> labels[i]).toArray();
        return new Labelled(
                BertInput.of(Arrays.stream(which).mapToObj(rows::get).toList(), 0),
                Ops.indices(own, own.length));
    }
}
