package io.github.panagrad.examples.catalog;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The values of an entry's settings: those the user gave, the standard ones for the rest.
public final class Settings {
    private final String owner;
    private final Map<String, String> values;

    private Settings(String owner, Map<String, String> values) {
        this.owner = owner;
        this.values = values;
    }

    /// Puts given values over the standard ones.
    ///
    /// @throws PanagradException if a key is not one of the entry's
    static Settings of(Entry<?> entry, Map<String, String> given) {
        var values = new LinkedHashMap<String, String>();
        for (Setting setting : entry.settings()) {
            values.put(setting.key(), setting.standard());
        }
        given.forEach((key, value) -> {
            if (values.put(key, value) == null) {
                throw new PanagradException(
                        entry.name(),
                        "no such setting",
                        key,
                        values.size() == 1 ? "none at all" : "one of " + known(entry),
                        "");
            }
        });
        return new Settings(entry.name(), values);
    }

    private static List<String> known(Entry<?> entry) {
        return entry.settings().stream().map(Setting::toString).toList();
    }

    /// Returns a word.
    public String word(String key) {
        String value = values.get(key);
        if (value == null) {
            throw new IllegalArgumentException(owner + " has no setting " + key);
        }
        return value;
    }

    /// Tells whether a setting has a value.
    public boolean has(String key) {
        return !word(key).isEmpty();
    }

    /// Returns a word that has to be given.
    public String required(String key) {
        if (!has(key)) {
            throw wrong(key, "nothing", "a value: " + owner + ":" + key + "=…");
        }
        return word(key);
    }

    /// Returns a number.
    public double number(String key) {
        String text = word(key);
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw wrong(key, text, "a number");
        }
    }

    /// Returns a whole number.
    public int integer(String key) {
        String text = word(key);
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw wrong(key, text, "a whole number");
        }
    }

    /// Returns whole numbers between plus signs.
    public int[] integers(String key) {
        String text = word(key);
        if (!text.matches("[0-9]{1,9}([+][0-9]{1,9})*")) {
            throw wrong(key, text, "whole numbers with + between them");
        }
        return Arrays.stream(text.split("[+]")).mapToInt(Integer::parseInt).toArray();
    }

    /// Returns whole numbers between crosses, such as 128x64.
    public int[] extents(String key, int count) {
        String text = word(key);
        if (!text.matches("[0-9]{1,9}(x[0-9]{1,9}){" + (count - 1) + "}")) {
            throw wrong(key, text, count + " whole numbers with an x between them");
        }
        return Arrays.stream(text.split("x")).mapToInt(Integer::parseInt).toArray();
    }

    /// Returns yes or no.
    public boolean flag(String key) {
        String text = word(key);
        return switch (text) {
            case "true", "yes", "on", "1" -> true;
            case "false", "no", "off", "0" -> false;
            default -> throw wrong(key, text, "true or false");
        };
    }

    /// Returns one of an enum's constants, written in lower case with dashes.
    public <E extends Enum<E>> E choice(String key, Class<E> type) {
        String text = word(key);
        for (E constant : type.getEnumConstants()) {
            if (spelled(constant).equals(text)) {
                return constant;
            }
        }
        List<String> all =
                List.of(type.getEnumConstants()).stream().map(Settings::spelled).toList();
        throw wrong(key, text, "one of " + all);
    }

    private static String spelled(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private PanagradException wrong(String key, String value, String expected) {
        return new PanagradException(owner, "setting " + key + " is wrong", value, expected, "");
    }
}
