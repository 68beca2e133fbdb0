package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.Preference;
import io.github.panagrad.nn.io.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Two sentences of a story, followed by the next two in their order or the other way round.
///
/// @param chosen the prompt with the answer the other way round
/// @param rejected the prompt with the answer as it is in the story
record StoryPair(Example chosen, Example rejected) {
    private static final int SENTENCES = 2;
    private static final int MOST_TOKENS = 110;

    /// Cuts stories into pairs that take no more than 110 tokens an answer with its prompt.
    static List<StoryPair> of(Stories stories, Tokenizer tokenizer) {
        var pairs = new ArrayList<StoryPair>();
        for (List<String> story : stories.stories()) {
            for (int at = 0; at + 2 * SENTENCES <= story.size(); at += SENTENCES) {
                String prompt = String.join(" ", story.subList(at, at + SENTENCES));
                List<String> next = story.subList(at + SENTENCES, at + 2 * SENTENCES);
                Example chosen =
                        Stories.answered(
                                tokenizer,
                                prompt,
                                String.join(" ", next.reversed()),
                                Preference.chosen(pairs.size()));
                Example rejected =
                        Stories.answered(
                                tokenizer,
                                prompt,
                                String.join(" ", next),
                                Preference.rejected(pairs.size()));
                if (chosen.length() <= MOST_TOKENS) {
                    pairs.add(new StoryPair(chosen, rejected));
                }
            }
        }
        return pairs;
    }

    /// Returns the answers of pairs one after the other, chosen first.
    static List<Example> both(List<StoryPair> pairs) {
        return pairs.stream()
                .<Example>mapMulti((pair, to) -> {
                    to.accept(pair.chosen);
                    to.accept(pair.rejected);
                })
                .toList();
    }

    /// Marks one answer of each pair, and puts an answer of another prompt behind it.
    static List<Example> marked(List<StoryPair> pairs, long seed) {
        var draw = new Rng.Draw(seed, 3);
        var examples = new ArrayList<Example>();
        for (int i = 0; i < pairs.size(); i++) {
            boolean good = draw.uniform(i) < 0.5;
            StoryPair pair = pairs.get(i);
            Example other = pairs.get((i + 1) % pairs.size()).chosen;
            examples.add(
                    good
                            ? pair.chosen.withTag(Preference.GOOD)
                            : pair.rejected.withTag(Preference.BAD));
            examples.add(joined(pair.chosen, other).withTag(Preference.MISMATCHED));
        }
        return examples;
    }

    /// Returns the prompt of one example with the answer of another.
    private static Example joined(Example prompt, Example answer) {
        int start = prompt.length() - prompt.predicted();
        int from = answer.length() - answer.predicted();
        int[] ids = Arrays.copyOf(prompt.inputIds(), start + answer.predicted());
        System.arraycopy(answer.inputIds(), from, ids, start, answer.predicted());
        int[] labels = ids.clone();
        Arrays.fill(labels, 0, start, Example.IGNORED);
        return new Example(ids, labels, 0);
    }
}
