package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Consumer;

/// Reads files of one JSON object a line.
final class JsonLines {
    private JsonLines() {}

    /// Gives out the objects one by one; blank lines are left out, and objects know file and line.
    ///
    /// @throws PanagradException if the file cannot be read or a line is no JSON object
    static void read(Path file, Consumer<JsonObject> rows) {
        try (BufferedReader in = Files.newBufferedReader(file)) {
            int number = 0;
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                number++;
                String text = number == 1 && line.startsWith("\uFEFF") ? line.substring(1) : line;
                if (!text.isBlank()) {
                    rows.accept(JsonObject.parse(file + ":" + number, text));
                }
            }
        } catch (IOException e) {
            throw unreadable(file.toString(), e);
        }
    }

    /// Says why a file cannot be read.
    static PanagradException unreadable(String file, IOException e) {
        return switch (e) {
            case NoSuchFileException none -> new PanagradException(file + ": no such file", none);
            case CharacterCodingException coding ->
                    new PanagradException(file + ": not UTF-8 text", coding);
            default -> new PanagradException(file + ": cannot be read; " + e.getMessage(), e);
        };
    }
}
