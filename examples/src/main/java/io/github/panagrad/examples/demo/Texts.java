package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Texts among the assets, in short rows.
final class Texts {
    private static final int LENGTH = 64;
    private static final int HELD_OUT = 24;
    private static final int CHARACTERS = 120_000;

    /// What stands before an answer in a file of instructions.
    private static final String ANSWER = "\"output\": \"";

    private Texts() {}

    /// Cuts a text into rows, the last of which are held out.
    static SparseCompositionDemo.Task task(String name, String text, Tokenizer tokenizer) {
        int[] ids = tokenizer.encode(text.substring(0, CHARACTERS));
        var rows = new ArrayList<Example>();
        for (int at = 0; at + LENGTH <= ids.length; at += LENGTH) {
            rows.add(Example.of(Arrays.copyOfRange(ids, at, at + LENGTH)));
        }
        int train = rows.size() - HELD_OUT;
        return new SparseCompositionDemo.Task(
                name,
                Dataset.of(rows.subList(0, train)),
                Dataset.of(rows.subList(train, rows.size())));
    }

    /// Returns the tasks that demonstrations of changes learn one after the other: plays of
    /// Shakespeare's and answers to instructions.
    static List<SparseCompositionDemo.Task> tasks(Trial trial) {
        Tokenizer tokenizer = trial.model("stories260k").tokenizer();
        return List.of(
                task("plays", read(trial.path("datasets/tinyshakespeare/input.txt")), tokenizer),
                task(
                        "answers",
                        answers(trial.path("datasets/alpaca/alpaca_en_demo.json")),
                        tokenizer));
    }

    /// Reads a file.
    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// Reads the answers of a file of instructions.
    static String answers(Path file) {
        String all = read(file);
        var text = new StringBuilder();
        int at = all.indexOf(ANSWER);
        while (at >= 0 && text.length() < CHARACTERS) {
            int end = all.indexOf("\"\n", at + ANSWER.length());
            text.append(all.substring(at + ANSWER.length(), end).replace("\\n", "\n"))
                    .append("\n\n");
            at = all.indexOf(ANSWER, end);
        }
        return text.toString();
    }
}
