package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;

/// The one place that knows the JSON library: text to plain Java values and back.
///
/// Values are `Map<String, Object>` in file order, `List<Object>`, `String`, `Boolean`, `Long`,
/// `java.math.BigInteger` beyond 64 bits, `Double` and null. Maps and lists cannot be modified.
final class Json {
    /// Refuses a key that appears twice: which of the two is meant cannot be known.
    private static final JsonFactory FACTORY =
            JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    private Json() {}

    /// Opens a stream of tokens, under the limits of [#FACTORY].
    static JsonParser parser(byte[] utf8) {
        return FACTORY.createParser(ObjectReadContext.empty(), utf8);
    }

    /// Parses one object, and nothing after it.
    static Map<String, @Nullable Object> object(String where, byte[] utf8) {
        try (JsonParser in = parser(utf8)) {
            return wholeObject(where, in);
        } catch (JacksonException e) {
            throw notJson(where, e);
        }
    }

    /// Parses one object, and nothing after it.
    static Map<String, @Nullable Object> object(String where, String text) {
        try (JsonParser in = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            return wholeObject(where, in);
        } catch (JacksonException e) {
            throw notJson(where, e);
        }
    }

    private static Map<String, @Nullable Object> wholeObject(String where, JsonParser in) {
        JsonToken first = in.nextToken();
        if (first != JsonToken.START_OBJECT) {
            throw new PanagradException(
                    where,
                    "not a JSON object",
                    first == null ? "nothing" : describe(first),
                    "{…}",
                    "");
        }
        var object = readObject(where, in);
        if (in.nextToken() != null) {
            throw new PanagradException(
                    where,
                    "text after the end of the JSON object at " + position(in.currentLocation()),
                    describe(in.currentToken()),
                    "one object",
                    "");
        }
        return object;
    }

    private static Map<String, @Nullable Object> readObject(String where, JsonParser in) {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String name = in.currentName();
            in.nextToken();
            fields.put(name, readValue(where, in));
        }
        return Collections.unmodifiableMap(fields);
    }

    private static @Nullable Object readValue(String where, JsonParser in) {
        return switch (in.currentToken()) {
            case START_OBJECT -> readObject(where, in);
            case START_ARRAY -> {
                var list = new ArrayList<@Nullable Object>();
                while (in.nextToken() != JsonToken.END_ARRAY) {
                    list.add(readValue(where, in));
                }
                yield Collections.unmodifiableList(list);
            }
            case VALUE_STRING -> in.getString();
            case VALUE_NUMBER_INT ->
                    in.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                            ? in.getBigIntegerValue()
                            : (Object) in.getLongValue();
            case VALUE_NUMBER_FLOAT -> {
                double value = in.getDoubleValue();
                if (Double.isInfinite(value)) {
                    throw new PanagradException(
                            where,
                            "number too large at " + position(in.currentTokenLocation()),
                            in.getString(),
                            "what a double can hold",
                            "");
                }
                yield value;
            }
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default -> throw new IllegalStateException(in.currentToken().toString());
        };
    }

    /// Writes a value as text: on one line, or indented by two blanks as model files usually are.
    static String text(@Nullable Object value, boolean indented) {
        var text = new StringWriter();
        ObjectWriteContext context = indented ? new Indented() : ObjectWriteContext.empty();
        try (JsonGenerator out = FACTORY.createGenerator(context, text)) {
            writeValue(out, value);
        }
        return text.toString();
    }

    private static final class Indented extends ObjectWriteContext.Base {
        @Override
        public PrettyPrinter getPrettyPrinter() {
            var indenter = new DefaultIndenter("  ", "\n");
            return new DefaultPrettyPrinter()
                    .withObjectIndenter(indenter)
                    .withArrayIndenter(indenter);
        }
    }

    private static void writeValue(JsonGenerator out, @Nullable Object value) {
        switch (value) {
            case null -> out.writeNull();
            case Map<?, ?> map -> {
                out.writeStartObject();
                for (var entry : map.entrySet()) {
                    out.writeName((String) entry.getKey());
                    writeValue(out, entry.getValue());
                }
                out.writeEndObject();
            }
            case List<?> list -> {
                out.writeStartArray();
                for (Object item : list) {
                    writeValue(out, item);
                }
                out.writeEndArray();
            }
            case String s -> out.writeString(s);
            case Boolean b -> out.writeBoolean(b);
            case Long n -> out.writeNumber(n);
            case java.math.BigInteger n -> out.writeNumber(n);
            case Double d -> out.writeNumber(d);
            default -> throw new IllegalArgumentException(value.getClass().toString());
        }
    }

    /// Turns the library's complaint into ours: file, line, column, one line of text.
    static PanagradException notJson(String where, JacksonException e) {
        String what = String.valueOf(e.getOriginalMessage()).replaceAll("\\s+", " ");
        TokenStreamLocation at = e.getLocation();
        return new PanagradException(
                where
                        + ": not valid JSON"
                        + (at == null ? "" : " at " + position(at))
                        + "; "
                        + what,
                e);
    }

    /// Quotes a text of unknown origin for an error: one line, no control characters, not too long.
    static String quote(String text) {
        var quoted = new StringBuilder("\"");
        int shown = Math.min(text.length(), 80);
        for (int i = 0; i < shown; i++) {
            char c = text.charAt(i);
            quoted.append(Character.isISOControl(c) || c == '\u2028' || c == '\u2029' ? '?' : c);
        }
        return quoted.append(shown < text.length() ? "…\"" : "\"").toString();
    }

    private static String position(TokenStreamLocation at) {
        return "line " + at.getLineNr() + ", column " + at.getColumnNr();
    }

    private static String describe(JsonToken token) {
        return switch (token) {
            case START_OBJECT, END_OBJECT -> "an object";
            case START_ARRAY, END_ARRAY -> "a list";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
            case VALUE_TRUE, VALUE_FALSE -> "a truth value";
            default -> token.toString();
        };
    }
}
