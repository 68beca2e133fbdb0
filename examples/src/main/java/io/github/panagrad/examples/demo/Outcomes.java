package io.github.panagrad.examples.demo;

import io.github.panagrad.nn.io.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/// The figures of demonstrations that were run, in a file of JSON.
///
/// @param byName the figures by the demonstration's name
public record Outcomes(Map<String, Outcome> byName) {
    /// Copies the map.
    public Outcomes {
        byName = Collections.unmodifiableMap(new TreeMap<>(byName));
    }

    /// Reads a file.
    ///
    /// @return no figures if there is no such file yet
    /// @throws io.github.panagrad.engine.ground.PanagradException if it is broken
    public static Outcomes read(Path file) {
        var all = new TreeMap<String, Outcome>();
        if (Files.exists(file)) {
            JsonObject json = JsonObject.read(file);
            json.names().forEach(name -> all.put(name, Outcome.of(name, json.object(name))));
        }
        return new Outcomes(all);
    }

    /// Returns these figures and some more, which replace older ones of the same demonstration.
    public Outcomes with(Outcome outcome) {
        var all = new TreeMap<>(byName);
        all.put(outcome.name(), outcome);
        return new Outcomes(all);
    }

    /// Writes a file, replacing it whole.
    public void write(Path file) {
        var all = new TreeMap<String, Object>();
        byName.forEach((name, outcome) -> all.put(name, outcome.toJson().asMap()));
        JsonObject.of(all).write(file);
    }
}
