package io.github.panagrad.examples;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// Puts what went wrong in one line for the user.
final class Failure {
    /// What the process ends with after any error.
    static final int EXIT_CODE = 2;

    private Failure() {}

    static String line(Throwable failure) {
        return text(failure).strip().replaceAll("\\s*\\R\\s*", "; ");
    }

    private static String text(Throwable failure) {
        return switch (failure) {
            case PanagradException known -> message(known);
            case UnmatchedArgumentException unknown -> message(unknown) + suggestion(unknown);
            case ParameterException misuse -> message(misuse);
            case UncheckedIOException wrapped when wrapped.getCause() != null ->
                    text(wrapped.getCause());
            case FileSystemException file -> file(file);
            case FileNotFoundException missing -> message(missing);
            case IOException other -> "input or output failed: " + message(other);
            case OutOfMemoryError memory ->
                    "out of memory ("
                            + memory.getMessage()
                            + "); got a heap of "
                            + (Runtime.getRuntime().maxMemory() >> 20)
                            + " MiB; try a smaller --batch-size or --seq-len, or a larger heap with"
                            + " PANAGRAD_JAVA_OPTS=-Xmx8g";
            default ->
                    "unexpected "
                            + failure.getClass().getSimpleName()
                            + (failure.getMessage() == null ? "" : ": " + failure.getMessage())
                            + "; run it again with --verbose for the stack trace";
        };
    }

    private static String suggestion(UnmatchedArgumentException unknown) {
        List<String> similar = unknown.getSuggestions();
        return similar.isEmpty() ? "" : "; did you mean " + String.join(" or ", similar) + "?";
    }

    private static String file(FileSystemException failure) {
        String what =
                switch (failure) {
                    case NoSuchFileException _ -> "no such file or directory";
                    case AccessDeniedException _ -> "permission denied";
                    case NotDirectoryException _ -> "not a directory";
                    case FileAlreadyExistsException _ -> "a file of this name is in the way";
                    default -> failure.getReason() == null ? "failed" : failure.getReason();
                };
        return failure.getFile() + ": " + what;
    }

    private static String message(Throwable failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message;
    }
}
