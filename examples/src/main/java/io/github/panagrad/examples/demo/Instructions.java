package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Instructions with their answers.
///
/// @param rows the instructions in the order of the file
record Instructions(List<Row> rows) {
    /// One instruction.
    ///
    /// @param prompt the instruction and what it is about
    /// @param answer the answer
    record Row(String prompt, String answer) {
        Example encode(Tokenizer tokenizer) {
            return Stories.answered(tokenizer, prompt, answer, 0);
        }
    }

    /// Reads a file of Alpaca's form: an array of `{"instruction", "input", "output"}`.
    static Instructions read(Path file) {
        try {
            // The parser wants an object.
            String text = "{\"rows\":" + Files.readString(file) + "}";
            return new Instructions(
                    JsonObject.parse(file.toString(), text).list("rows").stream()
                            .map(row -> row((Map<?, ?>) Objects.requireNonNull(row)))
                            .filter(row -> !row.answer.isBlank())
                            .toList());
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static Row row(Map<?, ?> fields) {
        return new Row(
                fields.get("instruction") + "\n" + fields.get("input") + "\n",
                String.valueOf(fields.get("output")).strip());
    }

    /// Returns those that take no more than some tokens.
    Instructions within(Tokenizer tokenizer, int most) {
        return new Instructions(
                rows.stream().filter(row -> row.encode(tokenizer).length() <= most).toList());
    }

    /// Returns some of them.
    Instructions part(int from, int to) {
        return new Instructions(rows.subList(from, to));
    }

    /// Returns them as examples of which the answers count.
    List<Example> encode(Tokenizer tokenizer) {
        return rows.stream().map(row -> row.encode(tokenizer)).toList();
    }

    /// Draws which of some rows will be wrong; the first is, and the second is not.
    static boolean[] wrong(int count, double share, long seed) {
        var draw = new Rng.Draw(seed, 7);
        boolean[] wrong = new boolean[count];
        for (int i = 0; i < count; i++) {
            wrong[i] = i != 1 && (i == 0 || draw.uniform(i) < share);
        }
        return wrong;
    }

    /// Gives the wrong rows another row's answer, or one with half of its characters replaced.
    Instructions corrupted(boolean[] wrong, long seed) {
        var changed = new ArrayList<Row>();
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            String answer = row.answer;
            if (wrong[i]) {
                answer =
                        i % 2 == 0
                                ? rows.get((i + 1) % rows.size()).answer
                                : noisy(answer, new Rng.Draw(seed, 100L + i));
            }
            changed.add(new Row(row.prompt, answer));
        }
        return new Instructions(changed);
    }

    private static String noisy(String text, Rng.Draw draw) {
        var noisy = new StringBuilder(text);
        for (int i = 0; i < text.length(); i++) {
            if (draw.uniform(2L * i) < 0.5) {
                noisy.setCharAt(i, (char) ('a' + (int) (26 * draw.uniform(2L * i + 1))));
            }
        }
        return noisy.toString();
    }
}
