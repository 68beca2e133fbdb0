package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// What a model is to say of a concept that it should forget, and what it should keep.
///
/// Read from JSON lines `{"prompt", "completion", "kind", "specified"}`. The kinds are 1 for the
/// concept under another name, 2 for a new description, 3 for facts about it that stay and 4 for
/// other matters that stay; the tag of an example is its kind. In kinds 1 and 2 `specified` is the
/// part of the completion that contradicts the old model: the new name or description. Source: Li et
/// al. 2024, Single Image Unlearning, arXiv 2405.12523.
///
/// @param data the examples
/// @param specified for each example, whether each of its tokens is a part of what is specified
public record UnlearnSet(Dataset data, List<boolean[]> specified) {
    private static final int DESCRIPTION = 2;
    private static final int KINDS = 4;

    /// Copies the list.
    public UnlearnSet {
        specified = List.copyOf(specified);
    }

    /// Reads a file.
    ///
    /// @throws PanagradException if the file is missing or empty, or a row lacks a field, is of no
    ///     kind or does not contain what it specifies; the message names file and line
    public static UnlearnSet read(Path file, Tokenizer tokenizer) {
        var continuation = new Continuation(tokenizer);
        var examples = new ArrayList<Example>();
        var marks = new ArrayList<boolean[]>();
        JsonLines.read(
                file,
                row -> {
                    int kind = row.integer("kind");
                    if (kind < 1 || kind > KINDS) {
                        throw row.error("kind", "is none", "1 to " + KINDS, "");
                    }
                    Example example =
                            continuation.encode(
                                    row.string("prompt"), row.string("completion"), kind);
                    boolean[] marked = new boolean[example.length()];
                    if (kind <= DESCRIPTION) {
                        mark(row, example, tokenizer, marked);
                    }
                    examples.add(example);
                    marks.add(marked);
                });
        if (examples.isEmpty()) {
            throw new PanagradException(file.toString(), "empty data file", "", "", "");
        }
        return new UnlearnSet(Dataset.of(examples), marks);
    }

    /// Marks the tokens that share a character with the specified text.
    private static void mark(
            JsonObject row, Example example, Tokenizer tokenizer, boolean[] marked) {
        String wanted = row.string("specified");
        int[] ids = example.inputIds();
        int answer = 0;
        while (answer < ids.length && example.labels()[answer] == Example.IGNORED) {
            answer++;
        }
        int prompt = length(tokenizer, ids, answer);
        int from = tokenizer.decode(ids, false).indexOf(wanted, prompt);
        if (wanted.isEmpty() || from < 0) {
            throw row.error("specified", "is not in the completion", "a part of it", "");
        }
        int to = from + wanted.length();
        for (int t = answer; t < ids.length; t++) {
            marked[t] = length(tokenizer, ids, t) < to && length(tokenizer, ids, t + 1) > from;
        }
    }

    private static int length(Tokenizer tokenizer, int[] ids, int tokens) {
        return tokens == 0 ? 0 : tokenizer.decode(Arrays.copyOf(ids, tokens), false).length();
    }

    /// Tells whether a predicted token is held to the old model.
    ///
    /// @param sequence the example, by its number in the data
    /// @param token the place of the token in the example
    public boolean isKept(Batch.Sequence sequence, int token) {
        return !specified.get(sequence.example())[token];
    }

    /// Returns the tokens of a concept's names: whole and by word, with and without a blank before.
    public static Set<Integer> concept(Tokenizer tokenizer, Collection<String> names) {
        var ids = new TreeSet<Integer>();
        for (String name : names) {
            var forms = new ArrayList<>(List.of(name.split(" ")));
            forms.add(name);
            for (String form : forms) {
                Arrays.stream(tokenizer.encode(form, false)).forEach(ids::add);
                Arrays.stream(tokenizer.encode(" " + form, false)).forEach(ids::add);
            }
        }
        // A token of nothing but a blank is not the concept's.
        ids.removeIf(id -> tokenizer.decode(new int[] {id}, false).isBlank());
        return ids;
    }
}
