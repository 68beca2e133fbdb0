package io.github.panagrad.nn.io;

import java.util.Arrays;

/// Decodes tokens as they come and gives out text only once it is complete.
///
/// One character can be spread over several tokens, and what a token decodes to can depend on the
/// one before it (a leading blank, say). So the tokens of the piece given out last are decoded
/// again with what came since, and the difference is given out when it does not end inside a
/// character. The pieces add up to what decoding all ids at once gives, as long as the ids spell
/// valid UTF-8.
public final class StreamingDecoder {
    private static final char REPLACEMENT = '\uFFFD';

    private final Tokenizer tokenizer;
    private int[] window = new int[8];
    private int size;
    private int given;
    private String prefix = "";

    StreamingDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /// Takes the next token and returns the text that it completes; often one word, or nothing.
    public String push(int id) {
        if (size == window.length) {
            window = Arrays.copyOf(window, 2 * size);
        }
        window[size++] = id;
        String text = decodeWindow();
        boolean complete =
                text.length() > prefix.length() && text.charAt(text.length() - 1) != REPLACEMENT;
        return complete ? give(text) : "";
    }

    /// Returns what is still held back, such as half a character, and starts afresh.
    public String finish() {
        String text = decodeWindow();
        String rest = text.length() > prefix.length() ? text.substring(prefix.length()) : "";
        size = 0;
        given = 0;
        prefix = "";
        return rest;
    }

    private String give(String text) {
        String piece = text.substring(prefix.length());
        System.arraycopy(window, given, window, 0, size - given);
        size -= given;
        given = size;
        prefix = decodeWindow();
        return piece;
    }

    private String decodeWindow() {
        return tokenizer.decode(Arrays.copyOf(window, size), true);
    }
}
