package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.PanagradException;
import java.nio.file.Path;
import java.util.OptionalInt;

/// Turns text into token ids and back.
///
/// Implementations may be used by several threads at once.
///
/// ```java
/// var tokenizer = Tokenizer.load(Path.of("SmolLM2-135M"));
/// int[] ids = tokenizer.encode("Once upon a time");
/// String text = tokenizer.decode(ids);
/// ```
public interface Tokenizer {
    /// Loads `tokenizer.json`, from a model's folder or named itself, with the files beside it that
    /// say which tokens begin and end a text: `tokenizer_config.json`, else
    /// `special_tokens_map.json`, else `config.json`.
    ///
    /// Runs Hugging Face's tokenizers, a native library that DJL ships for Linux, macOS and
    /// Windows; never reaches for the network.
    ///
    /// @throws PanagradException if a file is missing or broken, or the library does not load
    static Tokenizer load(Path path) {
        return JsonTokenizer.load(path);
    }

    /// Encodes a text with the special tokens that the tokenizer puts around one, such as a leading
    /// `<s>`, or `[CLS]` and `[SEP]`.
    default int[] encode(String text) {
        return encode(text, true);
    }

    /// Encodes a text, with or without the special tokens that the tokenizer puts around one.
    ///
    /// Special tokens that stand in the text itself are recognised either way.
    int[] encode(String text, boolean addSpecialTokens);

    /// Decodes ids and leaves out special tokens.
    default String decode(int... ids) {
        return decode(ids, true);
    }

    /// Decodes ids; bytes that are not UTF-8 become U+FFFD.
    ///
    /// @throws PanagradException if an id is outside the vocabulary
    String decode(int[] ids, boolean skipSpecialTokens);

    /// Starts a decoder for text that is generated token by token.
    default StreamingDecoder stream() {
        return new StreamingDecoder(this);
    }

    /// Returns the number of rows that an embedding needs: the greatest id, plus one.
    int vocabSize();

    /// Returns the id of the token that begins a text, where there is one.
    OptionalInt bosId();

    /// Returns the id of the token that ends a text, where there is one.
    OptionalInt eosId();

    /// Returns the id of the token that fills a batch up, where there is one.
    OptionalInt padId();

    /// Returns the id of a token that was added to the vocabulary by name, such as `<|im_end|>`.
    OptionalInt addedId(String token);

    /// Writes the tokenizer's files into a folder, beside a model that uses it.
    void save(Path folder);

    /// Checks that every id has a row in an embedding.
    ///
    /// @param rows the rows of the embedding
    /// @param where what errors call the tokenizer's user
    /// @throws PanagradException if there are more ids than rows
    default void requireFits(int rows, String where) {
        if (vocabSize() > rows) {
            throw new PanagradException(
                    where,
                    "the tokenizer has more ids than the embedding has rows",
                    vocabSize() + " ids",
                    "at most " + rows,
                    "do tokenizer.json and the weights belong to the same model?");
        }
    }
}
