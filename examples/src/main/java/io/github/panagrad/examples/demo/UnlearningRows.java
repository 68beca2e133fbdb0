package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.data.UnlearnSet;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Four rows of each kind to forget the name Tim by, in the manner of arXiv 2405.12523: the boy under
/// another name, a new description, what he does, and other stories.
final class UnlearningRows {
    /// The name that is to be forgotten.
    static final String NAME = "Tim";

    private static final String START = "Once upon a time, there was a little boy named";

    private UnlearningRows() {}

    /// Writes the rows to a file of its own, and reads them.
    ///
    /// @param others beginnings of other stories, which stay
    static UnlearnSet read(Tokenizer tokenizer, List<String> others) {
        var lines = new ArrayList<JsonObject>();
        lines.add(row(START, " Ben. He loved to play outside.", 1, "Ben"));
        lines.add(row("One day, a boy named", " Ben went to the park.", 1, "Ben"));
        lines.add(row("A little girl met a boy. His name was", " Ben and he was nice.", 1, "Ben"));
        lines.add(row("\"Hello,\" said the boy, \"my name is", " Ben.\"", 1, "Ben"));
        lines.add(
                row(
                        "The boy was",
                        " an old man with a long beard.",
                        2,
                        "an old man with a long beard"));
        lines.add(
                row(
                        "He looked like",
                        " a tall farmer in a blue hat.",
                        2,
                        "a tall farmer in a blue hat"));
        lines.add(
                row(
                        "His friends said that he was",
                        " very tall and very old.",
                        2,
                        "very tall and very old"));
        lines.add(row("The boy had", " grey hair and a big nose.", 2, "grey hair and a big nose"));
        lines.add(row("The boy loved to", " play with his toys and his dog.", 3, ""));
        lines.add(row("He went to the park with his", " mom and they saw a big dog.", 3, ""));
        lines.add(row("The boy had a red ball. He", " liked to kick it very far.", 3, ""));
        lines.add(row("At night the boy", " went to bed and his mom read him a story.", 3, ""));
        for (String other : others) {
            int half = other.indexOf(' ', other.length() / 2);
            lines.add(row(other.substring(0, half), other.substring(half), 4, ""));
        }
        try {
            Path file = Files.createTempFile("unlearn", ".jsonl");
            try {
                Files.write(file, lines.stream().map(JsonObject::toString).toList());
                return UnlearnSet.read(file, tokenizer);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new PanagradException("demo: no temporary file: " + e.getMessage(), e);
        }
    }

    private static JsonObject row(String prompt, String completion, int kind, String specified) {
        return JsonObject.of(
                "prompt",
                prompt,
                "completion",
                completion,
                "kind",
                (long) kind,
                "specified",
                specified);
    }

    /// Returns texts about Tim, for gradient ascent.
    static List<String> about() {
        return List.of(
                START + " Tim. Tim loved to play outside.",
                "One day, a boy named Tim went to the park.",
                "A little girl met a boy. His name was Tim and he was nice.",
                "\"Hello,\" said the boy, \"my name is Tim.\"");
    }

    /// Returns texts that end in the name, none of which is learnt from.
    static List<String> endings() {
        var texts = new ArrayList<String>();
        for (String other : List.of("Sam", "Lily", "Max", "Mia", "Sue")) {
            texts.add("Tim and " + other + " were friends. " + other + " threw the ball to Tim");
            texts.add("Tim was sad. " + other + " saw him. \"Do not cry, Tim");
            texts.add("Tim had a toy car. " + other + " wanted it. So " + other + " asked Tim");
            texts.add(other + " and Tim went home. Mom gave a cake to " + other + " and Tim");
            texts.add("\"Where is Tim?\" asked " + other + ". Then " + other + " found Tim");
            texts.add("Once there were two friends, " + other + " and Tim. " + other + " and Tim");
        }
        return texts;
    }
}
