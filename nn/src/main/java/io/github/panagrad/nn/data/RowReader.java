package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Reads rows for encoders from JSON lines: texts with labels or numbers, or texts that belong
/// together.
///
/// ```java
/// LabelledRows train = RowReader.of(tokenizer).longest(128).labelled(file);
/// ```
public final class RowReader {
    private final Tokenizer tokenizer;
    private int longest = Integer.MAX_VALUE;
    private boolean truncate;
    private String text = "text";
    private String label = "label";

    private RowReader(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /// Creates a reader of the fields `text` and `label`.
    public static RowReader of(Tokenizer tokenizer) {
        return new RowReader(tokenizer);
    }

    /// Sets how many tokens a text may have.
    public RowReader longest(int tokens) {
        longest = tokens;
        return this;
    }

    /// Cuts texts that are too long instead of refusing them; the closing special token stays.
    public RowReader truncate(boolean cut) {
        truncate = cut;
        return this;
    }

    /// Sets the field that holds the text.
    public RowReader textField(String name) {
        text = name;
        return this;
    }

    /// Sets the field that holds the label or the number.
    public RowReader labelField(String name) {
        label = name;
        return this;
    }

    /// Reads texts with labels, whose names are numbered in alphabetical order, whole numbers by
    /// size.
    ///
    /// @throws PanagradException if the file is missing or empty, or a row lacks a field or is too
    ///     long; the message names file and line
    public LabelledRows labelled(Path file) {
        return labelled(file, null);
    }

    /// Reads texts with labels that are known already, such as those of a model.
    ///
    /// @param known the names in the order of their numbers; null for those of the file
    public LabelledRows labelled(Path file, @Nullable List<String> known) {
        var rows = new ArrayList<int[]>();
        var names = new ArrayList<String>();
        read(
                file,
                row -> {
                    rows.add(encode(row, text));
                    String name = name(row);
                    if (known != null && !known.contains(name)) {
                        throw row.error(label, "is none of the labels", known.toString(), "");
                    }
                    names.add(name);
                });
        List<String> all = known == null ? ordered(names) : known;
        return new LabelledRows(rows, names.stream().mapToInt(all::indexOf).toArray(), all);
    }

    private String name(JsonObject row) {
        Object value = row.get(label);
        return value instanceof Number || value instanceof Boolean
                ? value.toString()
                : row.string(label);
    }

    private static List<String> ordered(List<String> names) {
        boolean whole = names.stream().allMatch(n -> n.matches("-?\\d{1,9}"));
        if (whole) {
            return names.stream()
                    .map(Integer::valueOf)
                    .distinct()
                    .sorted()
                    .map(String::valueOf)
                    .toList();
        }
        return List.copyOf(new TreeSet<>(names));
    }

    /// Reads texts with numbers.
    ///
    /// @throws PanagradException as [#labelled] does, or if a number is not finite
    public ValuedRows valued(Path file) {
        var rows = new ArrayList<int[]>();
        var values = new ArrayList<Double>();
        read(
                file,
                row -> {
                    rows.add(encode(row, text));
                    double value = row.number(label);
                    if (!Double.isFinite(value)) {
                        throw row.error(label, "is not finite", "a number", "");
                    }
                    values.add(value);
                });
        return new ValuedRows(rows, values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /// Reads texts that belong together, such as `anchor` and `positive`.
    ///
    /// @return for each field a text a row
    public List<List<int[]>> columns(Path file, List<String> fields) {
        List<List<int[]>> columns = new ArrayList<>();
        fields.forEach(f -> columns.add(new ArrayList<>()));
        read(
                file,
                row -> {
                    for (int i = 0; i < fields.size(); i++) {
                        columns.get(i).add(encode(row, fields.get(i)));
                    }
                });
        return columns;
    }

    private static void read(Path file, Consumer<JsonObject> rows) {
        boolean[] any = new boolean[1];
        JsonLines.read(
                file,
                row -> {
                    any[0] = true;
                    rows.accept(row);
                });
        if (!any[0]) {
            throw new PanagradException(file.toString(), "empty data file", "", "", "");
        }
    }

    private int[] encode(JsonObject row, String field) {
        int[] ids = tokenizer.encode(row.string(field));
        if (ids.length == 0) {
            throw row.error(field, "has no token", "some text", "");
        }
        if (ids.length <= longest) {
            return ids;
        }
        if (!truncate) {
            throw row.error(
                    field,
                    "is too long: " + ids.length + " tokens",
                    "at most " + longest,
                    "allow that texts are cut");
        }
        int[] cut = Arrays.copyOf(ids, longest);
        cut[longest - 1] = ids[ids.length - 1];
        return cut;
    }
}
