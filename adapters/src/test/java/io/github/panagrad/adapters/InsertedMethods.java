package io.github.panagrad.adapters;

import io.github.panagrad.nn.PathPattern;
import java.util.List;
import java.util.stream.Stream;

/// Methods that insert networks, keys or embeddings, or put others in their place.
final class InsertedMethods {
    private static final PathPattern BLOCKS = PathPattern.anyOf(List.of("**.self_attn", "**.mlp"));

    private InsertedMethods() {}

    static Stream<MethodCase> all() {
        var prefix = PrefixTuning.tokens(3).seed(1);
        var prompt = PromptTuning.tokens(3).seed(1);
        var mam = Mam.of(2, 4, 2).seed(1);
        return Stream.of(
                inserted("houlsby", Bottleneck.sequential(4), BLOCKS),
                inserted("pfeiffer", Bottleneck.sequential(4), PathPattern.of("**.mlp")),
                inserted("parallel", Bottleneck.parallel(4), PathPattern.of("**.mlp")),
                inserted(
                        "scaled parallel",
                        Bottleneck.scaledParallel(4, 4)
                                .form(Bottleneck.Form.GELU)
                                .learnsScale(true),
                        PathPattern.of("**.mlp")),
                new MethodCase("prefix", prefix, prefix.usualTargets(), false, false),
                new MethodCase(
                        "prefix by a network",
                        prefix.projection(5),
                        prefix.usualTargets(),
                        false,
                        false),
                new MethodCase("prompt", prompt, prompt.usualTargets(), false, false),
                new MethodCase(
                        "tokens",
                        TrainableTokens.of(2, 5, 11, 17, 20),
                        PathPattern.of("**.embed_tokens"),
                        true,
                        true),
                new MethodCase("mam", mam, mam.usualTargets(), false, false));
    }

    private static MethodCase inserted(String name, AdapterMethod method, PathPattern targets) {
        return new MethodCase(name, method, targets, true, false);
    }
}
