package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What the arms of a demonstration share in one run: where models and data lie, the seed, and how much
/// may be done.
///
/// @param assets the folder with `models` and `datasets`
/// @param seed decides samples, order and initial values
/// @param mostSteps steps of training at most
/// @param mostRows rows of any data at most
public record Trial(Path assets, long seed, int mostSteps, int mostRows) {
    /// Creates a whole run.
    public static Trial of(Path assets, long seed) {
        return new Trial(assets, seed, Integer.MAX_VALUE, Integer.MAX_VALUE);
    }

    /// Returns how many of the wanted steps to take.
    public int steps(int wanted) {
        return Math.min(wanted, mostSteps);
    }

    /// Returns how many of the wanted rows to take.
    public int rows(int wanted) {
        return Math.min(wanted, mostRows);
    }

    /// Returns the first of some rows.
    public <T> List<T> rows(List<T> all, int wanted) {
        return all.subList(0, Math.min(all.size(), rows(wanted)));
    }

    /// Loads a language model.
    public CausalLM model(String name) {
        return CausalLM.load(path("models/" + name));
    }

    /// Returns the path of a file or folder.
    ///
    /// @throws PanagradException if it is not there
    public Path path(String relative) {
        Path path = assets.resolve(relative);
        if (!Files.exists(path)) {
            throw new PanagradException(
                    "demo",
                    "a model or data set is not there",
                    path.toString(),
                    "a folder with models and datasets",
                    "name that folder with --assets");
        }
        return path;
    }
}
