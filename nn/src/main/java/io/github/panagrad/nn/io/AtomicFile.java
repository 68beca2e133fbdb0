package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/// Replaces files whole: a reader, or a crash, sees the old file or the new one, never a part.
///
/// The new contents go to a temporary file in the same folder, are forced to the disk, and are
/// renamed over the target. Whatever fails on the way removes the temporary file.
public final class AtomicFile {
    private AtomicFile() {}

    /// Writes the contents of a file through a channel.
    @FunctionalInterface
    public interface Contents {
        /// Writes everything that the file shall hold, from the channel's position on.
        void writeTo(FileChannel channel) throws IOException;
    }

    /// Replaces a file with the given bytes.
    ///
    /// @throws PanagradException if the file cannot be written; an older one is then left as it was
    public static void write(Path file, byte[] bytes) {
        write(file, channel -> writeFully(channel, ByteBuffer.wrap(bytes)));
    }

    /// Replaces a file with what `contents` writes; folders that are missing are created.
    ///
    /// @throws PanagradException if the file cannot be written; an older one is then left as it was
    public static void write(Path file, Contents contents) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new PanagradException(file + ": cannot be written; it is a root folder");
        }
        Path temporary =
                folder.resolve(
                        "."
                                + file.getFileName()
                                + "."
                                + Long.toHexString(ThreadLocalRandom.current().nextLong())
                                + ".tmp");
        boolean done = false;
        try {
            Files.createDirectories(folder);
            try (FileChannel channel =
                    FileChannel.open(
                            temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                contents.writeTo(channel);
                channel.force(true);
            }
            Files.move(
                    temporary,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
            done = true;
            forceFolder(folder);
        } catch (AccessDeniedException e) {
            throw new PanagradException(
                    file + ": cannot be written; no permission to write in " + folder, e);
        } catch (FileAlreadyExistsException e) {
            throw new PanagradException(
                    file + ": cannot be written; " + e.getFile() + " is not a folder", e);
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be written; " + reason(e), e);
        } finally {
            if (!done) {
                discard(temporary);
            }
        }
    }

    /// Writes all remaining bytes; a channel may take fewer than it is given.
    static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static String reason(IOException e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private static void discard(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException ignored) {
            // The error that brought us here is the one to report.
        }
    }

    /// Makes the rename itself survive a power cut, where the system lets a folder be opened.
    private static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException ignored) {
            // Windows cannot; the file's contents are on the disk all the same.
        }
    }
}
