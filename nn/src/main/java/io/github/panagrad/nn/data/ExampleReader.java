package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Reads examples from text or JSON lines.
///
/// - `.txt`: the whole text is encoded and cut into windows of [#seqLen] tokens.
/// - `.jsonl`: one object a line, each an example: `{"text"}`; `{"prompt", "completion"}`, where
///   only the completion and the end token after it count; or `{"input_ids", "labels"?}`, taken as
///   they are. The fields may have other names.
///
/// ```java
/// var data = ExampleReader.of(tokenizer)
///         .promptField("question").completionField("answer")
///         .context(config.maxPositions())
///         .read(Path.of("train.jsonl"));
/// ```
public final class ExampleReader {
    private final @Nullable Tokenizer tokenizer;
    private final @Nullable Continuation continuation;

    /// Text is encoded in pieces of this many characters, to bound what the tokenizer holds.
    private int piece = 1 << 22;

    private int vocabSize;
    private int seqLen;
    private int context;
    private boolean truncate;
    private int tag;
    private String separator = "";
    private @Nullable Prepend facts;
    private String idField = "id";
    private String textField = "text";
    private String promptField = "prompt";
    private String completionField = "completion";

    private ExampleReader(@Nullable Tokenizer tokenizer, int vocabSize) {
        this.tokenizer = tokenizer;
        this.continuation = tokenizer == null ? null : new Continuation(tokenizer);
        this.vocabSize = vocabSize;
    }

    /// Creates a reader that encodes text.
    public static ExampleReader of(Tokenizer tokenizer) {
        return new ExampleReader(tokenizer, tokenizer.vocabSize());
    }

    /// Creates a reader for rows that are token ids already.
    ///
    /// @param vocabSize ids must be below
    public static ExampleReader ofIds(int vocabSize) {
        return new ExampleReader(null, vocabSize);
    }

    /// Sets what ids must be below, where the embedding has another number of rows than the
    /// tokenizer has ids.
    public ExampleReader vocabSize(int rows) {
        this.vocabSize = rows;
        return this;
    }

    /// Sets how long a window of text is, and a row at most; the context length by default.
    public ExampleReader seqLen(int tokens) {
        if (tokens < 2) {
            throw new PanagradException(
                    "seq-len", "too short to predict anything", "" + tokens, "2 or more", "");
        }
        this.seqLen = tokens;
        return this;
    }

    /// Sets how many positions the model knows; no example may be longer.
    public ExampleReader context(int tokens) {
        this.context = tokens;
        return this;
    }

    /// Cuts rows that are too long at their end instead of refusing them.
    public ExampleReader truncate(boolean truncate) {
        this.truncate = truncate;
        return this;
    }

    /// Sets the tag that the examples carry.
    public ExampleReader tag(int tag) {
        this.tag = tag;
        return this;
    }

    /// Sets what is put between prompt and completion; nothing by default.
    public ExampleReader separator(String separator) {
        this.separator = separator;
        return this;
    }

    /// Puts facts in front of texts and prompts, found by a field of the row.
    ///
    /// @param idField names the field, such as `id`
    public ExampleReader prepend(Prepend facts, String idField) {
        this.facts = facts;
        this.idField = idField;
        return this;
    }

    /// Sets the field that is read as `text`.
    public ExampleReader textField(String name) {
        this.textField = name;
        return this;
    }

    /// Sets the field that is read as `prompt`.
    public ExampleReader promptField(String name) {
        this.promptField = name;
        return this;
    }

    /// Sets the field that is read as `completion`.
    public ExampleReader completionField(String name) {
        this.completionField = name;
        return this;
    }

    ExampleReader piece(int characters) {
        this.piece = characters;
        return this;
    }

    /// Reads a file.
    ///
    /// @throws PanagradException if the file is missing, empty or of another kind; if a row is no
    ///     JSON object, lacks the fields, holds ids outside the vocabulary or is too long; or if no
    ///     token of the file is predicted
    public Dataset read(Path file) {
        int longest = longest();
        String name = file.toString();
        Collector rows = new Collector(name, longest);
        try {
            if (name.endsWith(".txt")) {
                readText(file, rows);
            } else if (name.endsWith(".jsonl")) {
                JsonLines.read(file, row -> rows.add(row.where(), example(row)));
            } else {
                throw new PanagradException(
                        name, "unknown kind of data file", "", "a name in .txt or .jsonl", "");
            }
        } catch (IOException e) {
            throw JsonLines.unreadable(name, e);
        }
        return rows.finish();
    }

    private int longest() {
        if (seqLen > 0 && context > 0 && seqLen > context) {
            throw new PanagradException(
                    "seq-len",
                    "longer than the model's context",
                    "" + seqLen,
                    "at most " + context,
                    "");
        }
        int longest = seqLen > 0 ? seqLen : context;
        return longest > 0 ? longest : Integer.MAX_VALUE;
    }

    private void readText(Path file, Collector rows) throws IOException {
        Tokenizer encoder = tokenizer(file.toString());
        if (rows.longest == Integer.MAX_VALUE) {
            throw new PanagradException(
                    file.toString(), "no window length for text", "", "seqLen or context", "");
        }
        var ids = IntStream.builder();
        try (BufferedReader in = Files.newBufferedReader(file)) {
            // One more than a small file has, so that only a larger one ever fills the buffer.
            char[] buffer = new char[(int) Math.min(piece, Files.size(file) + 1)];
            int held = 0;
            boolean first = true;
            for (int n = fill(in, buffer, held); n > 0; n = fill(in, buffer, held)) {
                int cut = n < buffer.length ? n : border(buffer);
                int skip = first && buffer[0] == '\uFEFF' ? 1 : 0;
                String text = new String(buffer, skip, cut - skip);
                if (!text.isEmpty()) {
                    Arrays.stream(encoder.encode(text, first)).forEach(ids::add);
                }
                first = false;
                held = n - cut;
                System.arraycopy(buffer, cut, buffer, 0, held);
            }
        }
        int[] all = ids.build().toArray();
        for (int from = 0; from < all.length; from += rows.longest) {
            rows.add(
                    Example.of(
                            Arrays.copyOfRange(
                                    all, from, Math.min(all.length, from + rows.longest))));
        }
    }

    /// Fills the buffer behind what it holds; returns how much it then holds.
    private static int fill(BufferedReader in, char[] buffer, int held) throws IOException {
        int n = held;
        while (n < buffer.length) {
            int more = in.read(buffer, n, buffer.length - n);
            if (more < 0) {
                break;
            }
            n += more;
        }
        return n;
    }

    /// Finds where a full buffer may be cut: after a line, else not inside a character.
    private static int border(char[] buffer) {
        for (int i = buffer.length; i > buffer.length / 2; i--) {
            if (buffer[i - 1] == '\n') {
                return i;
            }
        }
        return Character.isHighSurrogate(buffer[buffer.length - 1])
                ? buffer.length - 1
                : buffer.length;
    }

    private Example example(JsonObject row) {
        if (row.has("input_ids")) {
            return fromIds(row);
        }
        if (row.has(promptField) || row.has(completionField)) {
            tokenizer(row.where());
            String prompt = withFacts(row, field(row, promptField)) + separator;
            return continuation().encode(prompt, field(row, completionField), tag);
        }
        String text = withFacts(row, field(row, textField));
        int[] ids = tokenizer(row.where()).encode(text);
        if (ids.length == 0) {
            throw row.error(textField, "holds no token", "text", "");
        }
        return new Example(ids, ids, tag);
    }

    private String withFacts(JsonObject row, String text) {
        return facts == null ? text : facts.join(row.string(idField), text);
    }

    private String field(JsonObject row, String name) {
        if (!row.has(name)) {
            throw new PanagradException(
                    row.where(),
                    "row without the field " + name,
                    row.names().isEmpty() ? "no fields" : String.join(", ", row.names()),
                    String.format(
                            "%s, or %s and %s, or input_ids",
                            textField, promptField, completionField),
                    "name the fields to use (--text-field, --prompt-field, --completion-field)");
        }
        return row.string(name);
    }

    private Example fromIds(JsonObject row) {
        int[] ids = row.ints("input_ids");
        int[] labels = row.has("labels") ? row.ints("labels") : ids;
        if (ids.length == 0) {
            throw row.error("input_ids", "is empty", "at least one id", "");
        }
        if (labels.length != ids.length) {
            throw new PanagradException(
                    row.where(),
                    "labels and input_ids differ in length",
                    labels.length + " labels for " + ids.length + " ids",
                    "",
                    "");
        }
        for (int i = 0; i < ids.length; i++) {
            requireId(row, "input_ids", i, ids[i]);
            if (labels[i] != Example.IGNORED) {
                requireId(row, "labels", i, labels[i]);
            }
        }
        return new Example(ids, labels, tag);
    }

    private void requireId(JsonObject row, String field, int at, int id) {
        if (id < 0 || id >= vocabSize) {
            throw new PanagradException(
                    row.where(),
                    field + "[" + at + "] is outside the vocabulary",
                    "" + id,
                    "0 to " + (vocabSize - 1) + (field.equals("labels") ? ", or -100" : ""),
                    "");
        }
    }

    private Tokenizer tokenizer(String where) {
        if (tokenizer == null) {
            throw new PanagradException(
                    where, "text, but no tokenizer to encode it", "", "rows of input_ids", "");
        }
        return tokenizer;
    }

    private Continuation continuation() {
        if (continuation == null) {
            throw new IllegalStateException("no tokenizer");
        }
        return continuation;
    }

    /// Gathers examples of the right length that predict something.
    private final class Collector {
        final String file;
        final int longest;
        final List<Example> examples = new ArrayList<>();
        int rows;
        int truncated;
        int dropped;

        Collector(String file, int longest) {
            this.file = file;
            this.longest = longest;
        }

        void add(Example window) {
            add(file, window.withTag(tag));
        }

        void add(String where, Example example) {
            rows++;
            Example kept = example;
            if (example.length() > longest) {
                if (!truncate) {
                    throw new PanagradException(
                            where,
                            longest == context
                                    ? "row longer than the model's context"
                                    : "row longer than seq-len",
                            example.length() + " tokens",
                            "at most " + longest,
                            "shorten it or cut long rows (--truncate)");
                }
                truncated++;
                kept =
                        new Example(
                                Arrays.copyOf(example.inputIds(), longest),
                                Arrays.copyOf(example.labels(), longest),
                                tag);
            }
            if (kept.predicted() == 0) {
                dropped++;
            } else {
                examples.add(kept);
            }
        }

        Dataset finish() {
            if (rows == 0) {
                throw new PanagradException(file, "empty data file", "", "", "");
            }
            if (examples.isEmpty()) {
                throw new PanagradException(
                        file,
                        "nothing to predict: all labels are ignored",
                        rows + " rows",
                        "at least one label that is not -100, after the first token of a row",
                        truncated > 0 ? "rows were cut; allow longer ones" : "");
            }
            return new Dataset(examples, truncated, dropped);
        }
    }
}
