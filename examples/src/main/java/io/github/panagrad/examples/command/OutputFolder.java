package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Sees to it that results can be written before work is done for them.
final class OutputFolder {
    private OutputFolder() {}

    /// Removes a file of an earlier run, so that it is not taken for one of this run.
    static void forget(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new PanagradException("output: cannot replace " + file + ", " + e, e);
        }
    }

    /// Creates the folder where it is missing.
    ///
    /// @throws PanagradException if nothing can be written there
    static void prepare(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, ".writable", null));
        } catch (IOException unwritable) {
            throw new PanagradException(
                    "output",
                    "nothing can be written there",
                    folder.toString(),
                    "a folder, or the name of a new one, with permission to write",
                    "");
        }
    }
}
