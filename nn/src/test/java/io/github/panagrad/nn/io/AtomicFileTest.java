package io.github.panagrad.nn.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir Path folder;

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void replacesAFileAndLeavesNothingElse() throws IOException {
        Path file = folder.resolve("a/b/file.txt");
        AtomicFile.write(file, bytes("one"));
        AtomicFile.write(file, bytes("two"));
        assertThat(file).hasContent("two");
        assertThat(file.getParent()).isDirectoryContaining(p -> p.equals(file));
        try (var files = Files.list(file.getParent())) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void keepsTheOldFileWhenWritingFails() throws IOException {
        Path file = folder.resolve("file.txt");
        AtomicFile.write(file, bytes("old"));
        assertThatThrownBy(() ->
                        AtomicFile.write(
                                file,
                                channel -> {
                                    channel.write(ByteBuffer.wrap(bytes("half of")));
                                    throw new IOException("No space left on device");
                                }))
                .isInstanceOf(PanagradException.class)
                .hasMessage(file + ": cannot be written; No space left on device");
        assertThat(file).hasContent("old");
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void removesTheTemporaryFileAlsoWhenTheContentsThrow() throws IOException {
        Path file = folder.resolve("file.txt");
        assertThatThrownBy(() ->
                        AtomicFile.write(
                                file,
                                channel -> {
                                    throw new IllegalStateException("bug");
                                }))
                .isInstanceOf(IllegalStateException.class);
        try (var files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void saysThatTheFolderIsAFile() throws IOException {
        Path notAFolder = Files.writeString(folder.resolve("plain"), "x");
        assertThatThrownBy(() -> AtomicFile.write(notAFolder.resolve("file.txt"), bytes("x")))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("cannot be written")
                .hasMessageContaining(notAFolder + " is not a folder");
    }

    @Test
    void saysThatTheFolderCannotBeWritten() throws IOException {
        Assumptions.assumeTrue(
                folder.getFileSystem().supportedFileAttributeViews().contains("posix"),
                "no POSIX permissions here");
        Path closed = Files.createDirectory(folder.resolve("closed"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("r-xr-xr-x"));
        Assumptions.assumeFalse(
                Files.isWritable(closed), "this user may write everywhere: nothing to refuse");
        assertThatThrownBy(() -> AtomicFile.write(closed.resolve("file.txt"), bytes("x")))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        closed.resolve("file.txt")
                                + ": cannot be written; no permission to write in "
                                + closed);
    }
}
