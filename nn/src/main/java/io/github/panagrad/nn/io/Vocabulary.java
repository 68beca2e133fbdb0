package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// What the tokenizer library does not tell of a `tokenizer.json`: how many ids there are, and
/// which belong to some named tokens.
///
/// @param size the greatest id, plus one
/// @param added the tokens that were added to the vocabulary by name
/// @param wanted the ids of the tokens that were asked for
record Vocabulary(int size, Map<String, Integer> added, Map<String, Integer> wanted) {
    /// Reads the ids, and of the vocabulary's names only those that are asked for.
    static Vocabulary parse(String where, byte[] json, Collection<String> names) {
        var reader = new Reader(where, names);
        try (JsonParser in = Json.parser(json)) {
            reader.file(in);
        } catch (JacksonException e) {
            throw Json.notJson(where, e);
        }
        if (reader.greatest < 0) {
            throw new PanagradException(where, "no vocabulary", "", "model.vocab", "");
        }
        return new Vocabulary(reader.greatest + 1, reader.added, reader.wanted);
    }

    OptionalInt id(String token) {
        Integer id = added.getOrDefault(token, wanted.get(token));
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    OptionalInt addedId(String token) {
        Integer id = added.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /// Walks the file without building a tree: vocabularies have hundreds of thousands of entries.
    private static final class Reader {
        final String where;
        final Collection<String> names;
        final Map<String, Integer> added = new HashMap<>();
        final Map<String, Integer> wanted = new HashMap<>();
        int greatest = -1;

        Reader(String where, Collection<String> names) {
            this.where = where;
            this.names = names;
        }

        void file(JsonParser in) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw new PanagradException(where, "not a JSON object", "", "{…}", "");
            }
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String field = in.currentName();
                JsonToken value = in.nextToken();
                if (field.equals("model") && value == JsonToken.START_OBJECT) {
                    model(in);
                } else if (field.equals("added_tokens") && value == JsonToken.START_ARRAY) {
                    while (in.nextToken() == JsonToken.START_OBJECT) {
                        addedToken(in);
                    }
                } else {
                    in.skipChildren();
                }
            }
        }

        void model(JsonParser in) {
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String field = in.currentName();
                JsonToken value = in.nextToken();
                if (field.equals("vocab") && value == JsonToken.START_OBJECT) {
                    while (in.nextToken() != JsonToken.END_OBJECT) {
                        String token = in.currentName();
                        in.nextToken();
                        entry(token, id(in, token));
                    }
                } else if (field.equals("vocab") && value == JsonToken.START_ARRAY) {
                    // Unigram models list pairs of token and score; the position is the id.
                    for (int id = 0; in.nextToken() == JsonToken.START_ARRAY; id++) {
                        in.nextToken();
                        entry(String.valueOf(in.getString()), id);
                        while (in.nextToken() != JsonToken.END_ARRAY) {
                            in.skipChildren();
                        }
                    }
                } else {
                    in.skipChildren();
                }
            }
        }

        void addedToken(JsonParser in) {
            String content = "";
            int id = -1;
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String field = in.currentName();
                in.nextToken();
                switch (field) {
                    case "content" -> content = String.valueOf(in.getString());
                    case "id" -> id = id(in, "added token");
                    default -> in.skipChildren();
                }
            }
            added.put(content, id);
            greatest = Math.max(greatest, id);
        }

        void entry(String token, int id) {
            greatest = Math.max(greatest, id);
            if (names.contains(token)) {
                wanted.put(token, id);
            }
        }

        int id(JsonParser in, String token) {
            boolean whole =
                    in.currentToken() == JsonToken.VALUE_NUMBER_INT
                            && in.getNumberType() == JsonParser.NumberType.INT
                            && in.getIntValue() >= 0
                            && in.getIntValue() < Integer.MAX_VALUE;
            if (!whole) {
                throw new PanagradException(
                        where,
                        "token " + Json.quote(token) + " has an id that is no id",
                        Json.quote(String.valueOf(in.getString())),
                        "a whole number from 0",
                        "");
            }
            return in.getIntValue();
        }
    }
}
