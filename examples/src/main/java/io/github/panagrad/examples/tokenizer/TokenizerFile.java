package io.github.panagrad.examples.tokenizer;

import io.github.panagrad.examples.tokenizer.BytePairTrainer.Encoding;
import io.github.panagrad.nn.io.JsonObject;
import java.util.List;

/// Puts an encoding in the form of the `tokenizer.json` of Hugging Face's tokenizers.
public final class TokenizerFile {
    private static final String BEGIN = "<s>";

    private TokenizerFile() {}

    /// Returns what the file holds: cutting words as GPT-2 does, and `<s>` before a text.
    public static JsonObject of(Encoding encoding) {
        JsonObject byteLevel =
                JsonObject.of(
                        "type", "ByteLevel",
                        "add_prefix_space", false,
                        "trim_offsets", true,
                        "use_regex", true);
        return JsonObject.of(
                "version",
                "1.0",
                "truncation",
                null,
                "padding",
                null,
                "added_tokens",
                BytePairTrainer.SPECIAL.stream().map(TokenizerFile::added).toList(),
                "normalizer",
                null,
                "pre_tokenizer",
                byteLevel,
                "post_processor",
                beginning(),
                "decoder",
                byteLevel,
                "model",
                model(encoding));
    }

    private static JsonObject added(String special) {
        return JsonObject.of(
                "id", BytePairTrainer.SPECIAL.indexOf(special),
                "content", special,
                "single_word", false,
                "lstrip", false,
                "rstrip", false,
                "normalized", false,
                "special", true);
    }

    private static JsonObject beginning() {
        JsonObject first = part("SpecialToken", BEGIN, 0);
        JsonObject second = part("SpecialToken", BEGIN, 1);
        List<Integer> ids = List.of(BytePairTrainer.SPECIAL.indexOf(BEGIN));
        JsonObject begin = JsonObject.of("id", BEGIN, "ids", ids, "tokens", List.of(BEGIN));
        return JsonObject.of(
                "type", "TemplateProcessing",
                "single", List.of(first, part("Sequence", "A", 0)),
                "pair", List.of(first, part("Sequence", "A", 0), second, part("Sequence", "B", 1)),
                "special_tokens", JsonObject.of(BEGIN, begin));
    }

    private static JsonObject part(String kind, String id, int type) {
        return JsonObject.of(kind, JsonObject.of("id", id, "type_id", type));
    }

    private static JsonObject model(Encoding encoding) {
        return JsonObject.of(
                "type",
                "BPE",
                "dropout",
                null,
                "unk_token",
                null,
                "continuing_subword_prefix",
                null,
                "end_of_word_suffix",
                null,
                "fuse_unk",
                false,
                "byte_fallback",
                false,
                "vocab",
                encoding.vocabulary(),
                "merges",
                encoding.merges().stream().map(p -> p.left() + " " + p.right()).toList());
    }
}
