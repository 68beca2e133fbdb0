package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A JSON object that knows which file it came from. Immutable.
///
/// A field that is missing or of another type raises an error that names file, field and what was
/// expected. A field that is null counts as missing.
public final class JsonObject {
    /// More than any configuration or tokenizer needs, and little enough to hold in memory.
    private static final long MAX_FILE = 256L << 20;

    private final String where;
    private final String path;
    private final Map<String, @Nullable Object> fields;

    private JsonObject(String where, String path, Map<String, @Nullable Object> fields) {
        this.where = where;
        this.path = path;
        this.fields = fields;
    }

    /// Reads a file that holds one object.
    ///
    /// @throws PanagradException if the file is missing, unreadable or not a JSON object
    public static JsonObject read(Path file) {
        try {
            long size = Files.size(file);
            if (size > MAX_FILE) {
                throw new PanagradException(
                        file.toString(),
                        "too large for a JSON file",
                        size + " bytes",
                        "at most " + MAX_FILE,
                        "");
            }
            byte[] bytes = Files.readAllBytes(file);
            return new JsonObject(file.toString(), "", Json.object(file.toString(), bytes));
        } catch (NoSuchFileException e) {
            throw new PanagradException(file + ": no such file", e);
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read; " + e, e);
        }
    }

    /// Parses a text that holds one object.
    ///
    /// @param where what errors call the text, such as `data.jsonl:12`
    /// @throws PanagradException if the text is not a JSON object
    public static JsonObject parse(String where, String text) {
        return new JsonObject(where, "", Json.object(where, text));
    }

    /// Builds an object from alternating names and values.
    ///
    /// @param namesAndValues values are String, Boolean, Integer, Long, Float, Double, int[], List,
    ///   Map, JsonObject or null
    public static JsonObject of(@Nullable Object... namesAndValues) {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            String name = String.valueOf(namesAndValues[i]);
            fields.put(name, plain(name, namesAndValues[i + 1]));
        }
        return new JsonObject("json", "", Collections.unmodifiableMap(fields));
    }

    /// Builds an object from a map; what the values may be, see [#of(Object...)].
    public static JsonObject of(Map<String, ? extends @Nullable Object> values) {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        values.forEach((name, value) -> fields.put(name, plain(name, value)));
        return new JsonObject("json", "", Collections.unmodifiableMap(fields));
    }

    private static @Nullable Object plain(String name, @Nullable Object value) {
        return switch (value) {
            case null -> null;
            case String s -> s;
            case Boolean b -> b;
            case Long n -> n;
            case java.math.BigInteger n -> n;
            case Integer n -> n.longValue();
            // Through text, so that 0.1f is written as 0.1 and not as 0.10000000149011612.
            case Float f -> finite(name, Double.parseDouble(f.toString()));
            case Double d -> finite(name, d);
            case JsonObject o -> o.fields;
            case int[] ints -> Arrays.stream(ints).mapToObj(n -> (Object) (long) n).toList();
            case List<?> list -> {
                var items = new ArrayList<@Nullable Object>(list.size());
                for (Object item : list) {
                    items.add(plain(name, item));
                }
                yield Collections.unmodifiableList(items);
            }
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, @Nullable Object>();
                map.forEach((key, item) -> copy.put(String.valueOf(key), plain(name, item)));
                yield Collections.unmodifiableMap(copy);
            }
            default ->
                    throw new PanagradException(
                            "json",
                            name + " has a type that JSON does not know",
                            value.getClass().getName(),
                            "a string, number, truth value, list or object",
                            "");
        };
    }

    private static Double finite(String name, double value) {
        if (!Double.isFinite(value)) {
            throw new PanagradException(
                    "json", name + " cannot be written", "" + value, "a finite number", "");
        }
        return value;
    }

    /// Returns the names of all fields in file order.
    public Set<String> names() {
        return fields.keySet();
    }

    /// Returns all fields as plain Java values: String, Boolean, Long, BigInteger, Double, List,
    /// Map or null.
    public Map<String, @Nullable Object> asMap() {
        return fields;
    }

    /// Returns what errors call this object: a file, or a file and line.
    public String where() {
        return where;
    }

    /// Tells whether a field is there and not null.
    public boolean has(String name) {
        return fields.get(name) != null;
    }

    /// Returns a field's plain value, or null where it is missing.
    public @Nullable Object get(String name) {
        return fields.get(name);
    }

    /// Reads a string.
    public String string(String name) {
        return require(name) instanceof String s ? s : wrong(name, "a string");
    }

    /// Reads a string, or returns a default where the field is missing.
    public String string(String name, String fallback) {
        return has(name) ? string(name) : fallback;
    }

    /// Reads a whole number that fits an int.
    public int integer(String name) {
        return require(name) instanceof Long n && n == n.intValue()
                ? n.intValue()
                : this.<Integer>wrong(name, "a whole number of at most 32 bits");
    }

    /// Reads a whole number that fits an int, or returns a default where the field is missing.
    public int integer(String name, int fallback) {
        return has(name) ? integer(name) : fallback;
    }

    /// Reads a whole number that fits a long.
    public long longInteger(String name) {
        return require(name) instanceof Long n ? n : this.<Long>wrong(name, "a whole number");
    }

    /// Reads a number.
    public double number(String name) {
        return require(name) instanceof Number n
                ? n.doubleValue()
                : this.<Double>wrong(name, "a number");
    }

    /// Reads a number, or returns a default where the field is missing.
    public double number(String name, double fallback) {
        return has(name) ? number(name) : fallback;
    }

    /// Reads a truth value, or returns a default where the field is missing.
    public boolean bool(String name, boolean fallback) {
        if (!has(name)) {
            return fallback;
        }
        return require(name) instanceof Boolean b ? b : this.<Boolean>wrong(name, "true or false");
    }

    /// Reads an object.
    @SuppressWarnings("unchecked")
    public JsonObject object(String name) {
        return require(name) instanceof Map<?, ?> map
                ? new JsonObject(where, path + name + ".", (Map<String, @Nullable Object>) map)
                : wrong(name, "an object {…}");
    }

    /// Reads a list of plain values.
    @SuppressWarnings("unchecked")
    public List<@Nullable Object> list(String name) {
        return require(name) instanceof List<?> list
                ? (List<@Nullable Object>) list
                : wrong(name, "a list […]");
    }

    /// Reads a list of whole numbers that fit ints.
    public int[] ints(String name) {
        var list = list(name);
        int[] values = new int[list.size()];
        for (int i = 0; i < values.length; i++) {
            if (!(list.get(i) instanceof Long n) || n != n.intValue()) {
                throw new PanagradException(
                        where,
                        path + name + "[" + i + "] is of the wrong type",
                        brief(list.get(i)),
                        "a whole number of at most 32 bits",
                        "");
            }
            values[i] = n.intValue();
        }
        return values;
    }

    /// Reads a list of strings.
    public List<String> strings(String name) {
        var values = new ArrayList<String>();
        for (Object item : list(name)) {
            values.add(item instanceof String s ? s : wrong(name, "a list of strings"));
        }
        return Collections.unmodifiableList(values);
    }

    /// Returns one of an enum's constants, written in lower case.
    ///
    /// @throws PanagradException if it is missing or none of them
    public <E extends Enum<E>> E choice(String name, Class<E> type) {
        String text = string(name);
        for (E constant : type.getEnumConstants()) {
            if (constant.name().toLowerCase(Locale.ROOT).equals(text)) {
                return constant;
            }
        }
        List<String> all =
                Arrays.stream(type.getEnumConstants())
                        .map(constant -> constant.name().toLowerCase(Locale.ROOT))
                        .toList();
        throw error(name, "is not known", String.join(", ", all), "");
    }

    /// Returns a copy with one field set, in its old place or at the end.
    public JsonObject with(String name, @Nullable Object value) {
        var copy = new LinkedHashMap<>(fields);
        copy.put(name, plain(name, value));
        return new JsonObject(where, path, Collections.unmodifiableMap(copy));
    }

    /// Returns a copy without one field.
    public JsonObject without(String name) {
        var copy = new LinkedHashMap<>(fields);
        copy.remove(name);
        return new JsonObject(where, path, Collections.unmodifiableMap(copy));
    }

    /// Builds the error for a field whose value does not do.
    ///
    /// @param what what is wrong, after the field's name: `is not positive`
    public PanagradException error(String name, String what, String expected, String hint) {
        return new PanagradException(
                where, path + name + " " + what, brief(fields.get(name)), expected, hint);
    }

    private Object require(String name) {
        Object value = fields.get(name);
        if (value == null) {
            throw new PanagradException(
                    where,
                    "no field " + path + name,
                    fields.isEmpty() ? "an empty object" : brief(String.join(", ", names())),
                    "",
                    "");
        }
        return value;
    }

    private <T> T wrong(String name, String expected) {
        throw error(name, "is of the wrong type", expected, "");
    }

    private static String brief(@Nullable Object value) {
        String text = value instanceof String s ? s : Json.text(value, false);
        text = text.replaceAll("\\s+", " ");
        return text.length() <= 80 ? text : text.substring(0, 77) + "…";
    }

    /// Writes the object to a file, indented, beside it first and then renamed over it.
    ///
    /// @throws PanagradException if the file cannot be written; an older one is then left as it was
    public void write(Path file) {
        AtomicFile.write(file, (toPretty() + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /// Returns the object as indented text.
    public String toPretty() {
        return Json.text(fields, true);
    }

    /// Returns the object as JSON on one line.
    @Override
    public String toString() {
        return Json.text(fields, false);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof JsonObject o && fields.equals(o.fields);
    }

    @Override
    public int hashCode() {
        return fields.hashCode();
    }
}
