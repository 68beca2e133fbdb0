package io.github.panagrad.nn.data;

import io.github.panagrad.nn.io.Tokenizer;
import java.util.Arrays;

/// Encodes a prompt and what should follow it, such that the prompt's tokens are those that
/// generation will start from.
///
/// Encoding the two in one go can merge a token across the border; encoding them apart can put a
/// blank before the completion (tokenizers of the SentencePiece kind do). So the completion's
/// tokens are looked for in several ways, and the first that reads back as the text of both is
/// taken.
final class Continuation {
    private final Tokenizer tokenizer;
    private final int[] prefix;

    Continuation(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.prefix = prefix(tokenizer);
    }

    /// Finds the special tokens before a text; those after it do not belong before a completion.
    private static int[] prefix(Tokenizer tokenizer) {
        int[] plain = tokenizer.encode("a", false);
        int[] around = tokenizer.encode("a", true);
        for (int at = 0; at + plain.length <= around.length; at++) {
            if (Arrays.equals(around, at, at + plain.length, plain, 0, plain.length)) {
                return Arrays.copyOf(around, at);
            }
        }
        return new int[0];
    }

    /// Encodes prompt and completion; the completion counts and is followed by the end token.
    Example encode(String prompt, String completion, int tag) {
        int[] start = tokenizer.encode(prompt, false);
        int[] whole = tokenizer.encode(prompt + completion, false);
        int ignored = start.length;
        int[] ids = whole;
        if (!startsWith(whole, start)) {
            int[] apart = apart(start, whole, completion);
            ids = apart.length > 0 ? apart : whole;
            ignored = apart.length > 0 ? start.length : Arrays.mismatch(whole, start);
        }
        int[] all = end(concat(prefix, ids));
        int[] labels = all.clone();
        Arrays.fill(labels, 0, prefix.length + ignored, Example.IGNORED);
        return new Example(all, labels, tag);
    }

    /// Encodes the completion for itself, or as what follows a line break, which no token spans;
    /// returns nothing where neither reads back as the whole text.
    private int[] apart(int[] start, int[] whole, String completion) {
        String text = tokenizer.decode(whole, false);
        int[] separate = concat(start, tokenizer.encode(completion, false));
        if (tokenizer.decode(separate, false).equals(text)) {
            return separate;
        }
        int[] newline = tokenizer.encode("\n", false);
        int[] after = tokenizer.encode("\n" + completion, false);
        if (startsWith(after, newline)) {
            int[] rest = Arrays.copyOfRange(after, newline.length, after.length);
            int[] continued = concat(start, rest);
            if (tokenizer.decode(continued, false).equals(text)) {
                return continued;
            }
        }
        return new int[0];
    }

    private int[] end(int[] ids) {
        var eos = tokenizer.eosId();
        boolean ended = eos.isEmpty() || (ids.length > 0 && ids[ids.length - 1] == eos.getAsInt());
        return ended ? ids : concat(ids, new int[] {eos.getAsInt()});
    }

    private static boolean startsWith(int[] ids, int[] start) {
        return ids.length >= start.length
                && Arrays.equals(ids, 0, start.length, start, 0, start.length);
    }

    private static int[] concat(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }
}
