package io.github.panagrad.examples.catalog;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Entries by name.
///
/// @param <T> what an entry makes
public final class Catalog<T> {
    private final String what;
    private final Map<String, Entry<T>> entries = new LinkedHashMap<>();

    /// Creates a catalogue.
    ///
    /// @param what what it lists, for messages
    public Catalog(String what, List<Entry<T>> entries) {
        this.what = what;
        for (Entry<T> entry : entries) {
            if (this.entries.put(entry.name(), entry) != null) {
                throw new IllegalArgumentException("twice: " + entry.name());
            }
        }
    }

    /// Returns the entries, in order.
    public List<Entry<T>> entries() {
        return List.copyOf(entries.values());
    }

    /// Returns the entry of a name.
    ///
    /// @param spec a name, with settings behind it or not
    /// @throws PanagradException if there is none
    public Entry<T> entry(String spec) {
        String name = name(spec);
        Entry<T> entry = entries.get(name);
        if (entry == null) {
            throw new PanagradException(
                    what, "no such name", name, "one of " + entries.keySet(), "");
        }
        return entry;
    }

    /// Makes what a text such as `lora:rank=8,alpha=16` says.
    public T make(String spec) {
        return make(spec, Map.of());
    }

    /// Makes what a text says.
    ///
    /// @param further settings said elsewhere on the command line; those in the text win
    /// @throws PanagradException if the name, a key or a value is none
    public T make(String spec, Map<String, String> further) {
        Entry<T> entry = entry(spec);
        var given = new LinkedHashMap<>(further);
        int colon = spec.indexOf(':');
        if (colon >= 0) {
            for (String pair : spec.substring(colon + 1).split(",")) {
                int equals = pair.indexOf('=');
                if (equals <= 0) {
                    throw new PanagradException(
                            what + " " + entry.name(),
                            "not a setting",
                            "'" + pair + "'",
                            "key=value",
                            "");
                }
                given.put(pair.substring(0, equals).trim(), pair.substring(equals + 1).trim());
            }
        }
        return entry.maker().apply(Settings.of(entry, given));
    }

    private static String name(String spec) {
        int colon = spec.indexOf(':');
        return colon < 0 ? spec : spec.substring(0, colon);
    }

    /// Returns a line for each entry: name, settings, summary, source.
    public List<String> lines() {
        return entries.values().stream().map(Catalog::line).toList();
    }

    private static String line(Entry<?> e) {
        String settings =
                e.settings().isEmpty()
                        ? ""
                        : " ["
                                + String.join(
                                        ", ", e.settings().stream().map(Setting::toString).toList())
                                + "]";
        return e.name() + settings + ": " + e.summary() + " (" + e.source() + ")";
    }
}
