package io.github.panagrad.examples.catalog;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// Something that can be named on the command line.
///
/// @param <T> what it makes of its settings
/// @param name its name, such as `lora`
/// @param summary what it does, in a few words
/// @param formula the formula that says it best
/// @param source where it was published
/// @param type the class that is it in the library
/// @param settings what can be set
/// @param maker makes it
public record Entry<T>(
        String name,
        String summary,
        String formula,
        String source,
        Class<?> type,
        List<Setting> settings,
        Function<Settings, T> maker) {
    /// Copies the settings.
    public Entry {
        settings = List.copyOf(settings);
    }

    /// Describes something without settings yet.
    public static <T> Entry<T> of(
            String name,
            String summary,
            String formula,
            String source,
            Class<?> type,
            Function<Settings, T> maker) {
        return new Entry<>(name, summary, formula, source, type, List.of(), maker);
    }

    /// Adds settings.
    public Entry<T> with(Setting... more) {
        var all = new ArrayList<>(settings);
        all.addAll(List.of(more));
        return new Entry<>(name, summary, formula, source, type, all, maker);
    }

    /// Tells whether it has a setting of this name.
    public boolean has(String key) {
        return settings.stream().anyMatch(s -> s.key().equals(key));
    }
}
