package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads which answers are preferred, from JSON lines.
///
/// - [#pairs]: `{"prompt", "chosen", "rejected"}` becomes two examples, one after the other.
/// - [#marked]: `{"prompt", "completion", "label"}`, with `true` for a good answer, becomes two
///   examples as well: the answer, and the prompt with the next row's answer, which does not belong
///   to it.
///
/// In each example the answer and the end token after it count; tags are those of [Preference].
///
/// ```java
/// Dataset pairs = PreferenceReader.of(tokenizer).longest(512).pairs(Path.of("pairs.jsonl"));
/// Batches batches = Batches.of(pairs).grouped(2).size(8).shuffled(seed);
/// ```
public final class PreferenceReader {
    private final Continuation continuation;
    private int longest = Integer.MAX_VALUE;
    private boolean truncate;

    private PreferenceReader(Continuation continuation) {
        this.continuation = continuation;
    }

    /// Creates a reader that encodes text.
    public static PreferenceReader of(Tokenizer tokenizer) {
        return new PreferenceReader(new Continuation(tokenizer));
    }

    /// Sets how many tokens a prompt and an answer may have together.
    public PreferenceReader longest(int tokens) {
        if (tokens < 2) {
            throw new PanagradException(
                    "preferences", "too short to answer anything", "" + tokens, "2 or more", "");
        }
        this.longest = tokens;
        return this;
    }

    /// Cuts what is too long at its end instead of refusing it; rows of which an answer is cut off
    /// entirely are dropped.
    public PreferenceReader truncate(boolean on) {
        this.truncate = on;
        return this;
    }

    /// Reads pairs of a chosen and a rejected answer.
    ///
    /// @throws PanagradException if the file is missing or empty, a line is no JSON object, or a row
    ///     lacks a field, has two equal answers or is too long; the message names file and line
    public Dataset pairs(Path file) {
        var rows = new Rows();
        JsonLines.read(
                file,
                row -> {
                    String prompt = text(row, "prompt");
                    String chosen = text(row, "chosen");
                    String rejected = text(row, "rejected");
                    if (chosen.equals(rejected)) {
                        throw row.error(
                                "rejected",
                                "is the chosen answer",
                                "another answer",
                                "drop the row");
                    }
                    int pair = rows.number();
                    rows.add(
                            row,
                            continuation.encode(prompt, chosen, Preference.chosen(pair)),
                            continuation.encode(prompt, rejected, Preference.rejected(pair)));
                });
        return rows.finish(file);
    }

    /// Reads answers that are good or bad on their own.
    ///
    /// @throws PanagradException if the file is missing, a line is no JSON object, or a row lacks a
    ///     field or is too long, with file and line; or if there are fewer than two rows
    public Dataset marked(Path file) {
        var read = new ArrayList<JsonObject>();
        JsonLines.read(file, read::add);
        if (read.size() < 2) {
            throw new PanagradException(
                    file.toString(),
                    "too few rows",
                    read.size() + " rows",
                    "2 or more: each prompt is also paired with another row's answer",
                    "");
        }
        var rows = new Rows();
        for (int i = 0; i < read.size(); i++) {
            JsonObject row = read.get(i);
            String prompt = text(row, "prompt");
            require(row, "label", "true or false");
            int tag = row.bool("label", false) ? Preference.GOOD : Preference.BAD;
            String other = text(read.get((i + 1) % read.size()), "completion");
            rows.add(
                    row,
                    continuation.encode(prompt, text(row, "completion"), tag),
                    continuation.encode(prompt, other, Preference.MISMATCHED));
        }
        return rows.finish(file);
    }

    private static String text(JsonObject row, String field) {
        require(row, field, "text");
        return row.string(field);
    }

    private static void require(JsonObject row, String field, String expected) {
        if (!row.has(field)) {
            throw new PanagradException(
                    row.where(),
                    "row without the field " + field,
                    row.names().isEmpty() ? "no fields" : String.join(", ", row.names()),
                    field + ": " + expected,
                    "pairs have prompt, chosen and rejected; marked answers prompt, completion and"
                            + " label");
        }
    }

    /// Gathers the examples of rows, two each.
    private final class Rows {
        private final List<Example> examples = new ArrayList<>();
        private int seen;
        private int truncated;
        private int dropped;

        int number() {
            return examples.size() / 2;
        }

        void add(JsonObject row, Example first, Example second) {
            seen++;
            Example a = fit(row, first);
            Example b = fit(row, second);
            if (a.predicted() == 0 || b.predicted() == 0) {
                dropped++;
            } else {
                examples.add(a);
                examples.add(b);
            }
        }

        private Example fit(JsonObject row, Example example) {
            if (example.length() <= longest) {
                return example;
            }
            if (!truncate) {
                throw new PanagradException(
                        row.where(),
                        "prompt and answer are too long",
                        example.length() + " tokens",
                        "at most " + longest,
                        "shorten them or cut long ones (--truncate)");
            }
            truncated++;
            return new Example(
                    Arrays.copyOf(example.inputIds(), longest),
                    Arrays.copyOf(example.labels(), longest),
                    example.tag());
        }

        Dataset finish(Path file) {
            if (examples.isEmpty()) {
                throw new PanagradException(
                        file.toString(),
                        "no answers to learn from",
                        seen + " rows, " + truncated + " answers cut",
                        "at least one row whose answers are not empty",
                        truncated > 0 ? "allow longer ones" : "");
            }
            return new Dataset(examples, truncated, dropped);
        }
    }
}
