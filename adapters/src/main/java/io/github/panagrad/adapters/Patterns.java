package io.github.panagrad.adapters;

import io.github.panagrad.nn.io.JsonObject;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/// Settings of some layers that differ from those of the rest, as in PEFT's `rank_pattern`: regular
/// expressions over the end of a path, the first that matches decides.
///
/// @param <T> the type of the setting
record Patterns<T>(Map<String, T> asMap) {
    Patterns {
        asMap = Collections.unmodifiableMap(new LinkedHashMap<>(asMap));
    }

    static <T> Patterns<T> none() {
        return new Patterns<>(Map.of());
    }

    Patterns<T> with(String pattern, T value) {
        Pattern.compile(pattern);
        var more = new LinkedHashMap<>(asMap);
        more.put(pattern, value);
        return new Patterns<>(more);
    }

    Patterns<T> where(Predicate<T> wanted) {
        var kept = new LinkedHashMap<>(asMap);
        kept.values().removeIf(wanted.negate());
        return new Patterns<>(kept);
    }

    Patterns<T> map(UnaryOperator<T> change) {
        var changed = new LinkedHashMap<String, T>();
        asMap.forEach((pattern, value) -> changed.put(pattern, change.apply(value)));
        return new Patterns<>(changed);
    }

    T get(String path, T otherwise) {
        for (var entry : asMap.entrySet()) {
            if (path.matches("(?:.*\\.)?(?:" + entry.getKey() + ")")) {
                return entry.getValue();
            }
        }
        return otherwise;
    }

    static <T> Patterns<T> read(
            JsonObject config, String field, BiFunction<JsonObject, String, T> value) {
        Patterns<T> patterns = none();
        if (config.get(field) != null) {
            JsonObject byPattern = config.object(field);
            for (String pattern : byPattern.names()) {
                patterns = patterns.with(pattern, value.apply(byPattern, pattern));
            }
        }
        return patterns;
    }
}
