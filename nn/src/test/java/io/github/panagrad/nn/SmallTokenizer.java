package io.github.panagrad.nn;

import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;

/// A byte-level tokenizer for tests: 256 bytes, the merge `he` (256), `<s>` (257), put before every
/// text, and `</s>` (258).
public final class SmallTokenizer {
    private SmallTokenizer() {}

    /// Writes the file into a folder, with an end token named beside it, and loads it.
    public static Tokenizer in(Path folder) {
        json().write(folder.resolve("tokenizer.json"));
        JsonObject.of("bos_token", "<s>", "eos_token", "</s>")
                .write(folder.resolve("tokenizer_config.json"));
        return Tokenizer.load(folder);
    }

    /// Returns the text of the file.
    public static JsonObject json() {
        var vocab = new LinkedHashMap<String, Object>();
        for (int b = 0; b < 256; b++) {
            vocab.put(Character.toString(byteChar(b)), b);
        }
        vocab.put("he", 256);
        vocab.put("<s>", 257);
        JsonObject bytes =
                JsonObject.of(
                        "type",
                        "ByteLevel",
                        "add_prefix_space",
                        false,
                        "trim_offsets",
                        false,
                        "use_regex",
                        false);
        return JsonObject.of(
                "version",
                "1.0",
                "truncation",
                JsonObject.of("max_length", 4, "strategy", "LongestFirst", "stride", 0),
                "added_tokens",
                List.of(added(257, "<s>"), added(258, "</s>")),
                "pre_tokenizer",
                bytes,
                "post_processor",
                JsonObject.of(
                        "type",
                        "TemplateProcessing",
                        "single",
                        List.of(
                                JsonObject.of(
                                        "SpecialToken", JsonObject.of("id", "<s>", "type_id", 0)),
                                JsonObject.of("Sequence", JsonObject.of("id", "A", "type_id", 0))),
                        "pair",
                        List.of(
                                JsonObject.of("Sequence", JsonObject.of("id", "A", "type_id", 0)),
                                JsonObject.of("Sequence", JsonObject.of("id", "B", "type_id", 0))),
                        "special_tokens",
                        JsonObject.of(
                                "<s>",
                                JsonObject.of(
                                        "id",
                                        "<s>",
                                        "ids",
                                        new int[] {257},
                                        "tokens",
                                        List.of("<s>")))),
                "decoder",
                bytes,
                "model",
                JsonObject.of(
                        "type", "BPE", "vocab", JsonObject.of(vocab), "merges", List.of("h e")));
    }

    /// Describes a special token.
    public static JsonObject added(int id, String content) {
        return JsonObject.of(
                "id",
                id,
                "content",
                content,
                "single_word",
                false,
                "lstrip",
                false,
                "rstrip",
                false,
                "normalized",
                false,
                "special",
                true);
    }

    /// GPT-2's spelling of a byte as a printable character.
    private static int byteChar(int b) {
        boolean printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        if (printable) {
            return b;
        }
        int before = b <= 32 ? b : b <= 160 ? 33 + b - 127 : 67;
        return 256 + before;
    }
}
