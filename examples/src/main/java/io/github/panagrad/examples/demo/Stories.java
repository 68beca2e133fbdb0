package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Short stories, as lists of sentences.
///
/// @param stories the sentences of each story
record Stories(List<List<String>> stories) {
    /// Reads a file of stories of which each begins with "Once upon a time" or the like; what is before
    /// the first such beginning is left out.
    static Stories read(Path file) {
        try {
            String text = Files.readString(file).replaceAll("\\s+", " ");
            var stories = new ArrayList<List<String>>();
            String[] parts = text.split("(?=Once upon a time)");
            for (String part : Arrays.copyOfRange(parts, 1, parts.length)) {
                stories.add(List.of(part.strip().split("(?<=[.!?]”?\"?) (?=[A-Z\"“])")));
            }
            return new Stories(List.copyOf(stories));
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// Returns some of the stories.
    Stories part(int from, int to) {
        return new Stories(stories.subList(from, to));
    }

    /// Returns how many stories there are.
    int size() {
        return stories.size();
    }

    /// Returns each story as an example, cut to a length.
    List<Example> examples(Tokenizer tokenizer, int most) {
        return stories.stream()
                .map(story -> tokenizer.encode(String.join(" ", story)))
                .map(ids -> Example.of(Arrays.copyOf(ids, Math.min(ids.length, most))))
                .toList();
    }

    /// Joins a prompt and an answer, which alone counts.
    static Example answered(Tokenizer tokenizer, String prompt, String answer, int tag) {
        int[] start = tokenizer.encode(prompt);
        int[] rest = tokenizer.encode(answer, false);
        int[] ids = Arrays.copyOf(start, start.length + rest.length);
        System.arraycopy(rest, 0, ids, start.length, rest.length);
        int[] labels = ids.clone();
        Arrays.fill(labels, 0, start.length, Example.IGNORED);
        return new Example(ids, labels, tag);
    }
}
