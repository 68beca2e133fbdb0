package io.github.panagrad.bench.natives;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.Predicate;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// Unpacks shared libraries from the jars beside ours, once: `~/.cache/panagrad-bench`.
///
/// Linux on x86-64 only.
final class Natives {
    private Natives() {}

    /// Unpacks what a jar has under a folder and returns where it lies.
    ///
    /// @param jar file name in `peers/` beside our jar
    /// @param folder folder in the jar
    /// @param into a name for where all that loads together is put
    /// @param wanted whether a file is taken
    static Path unpack(String jar, String folder, String into, Predicate<String> wanted) {
        Path source = jars().resolve(jar);
        if (!Files.isRegularFile(source)) {
            throw new PanagradException(
                    "peers",
                    "no " + source,
                    "",
                    "",
                    "build with: mvn -P peers -pl bench -am package -DskipTests");
        }
        String cache = System.getenv().getOrDefault("XDG_CACHE_HOME", System.getProperty("user.home") + "/.cache");
        Path target = Path.of(cache, "panagrad-bench", into);
        try (var zip = new ZipFile(source.toFile())) {
            Files.createDirectories(target);
            for (ZipEntry entry : zip.stream().toList()) {
                String path = entry.getName();
                String name = path.substring(path.lastIndexOf('/') + 1);
                if (path.startsWith(folder + "/") && name.contains(".so") && wanted.test(name)) {
                    Path file = target.resolve(name);
                    if (!Files.exists(file) || Files.size(file) != entry.getSize()) {
                        copy(zip, entry, file);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return target;
    }

    private static void copy(ZipFile zip, ZipEntry entry, Path file) throws IOException {
        Path part = Files.createTempFile(file.getParent(), "part", ".tmp");
        try (var in = zip.getInputStream(entry)) {
            Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
        }
        try {
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static Path jars() {
        Path jar = Path.of(System.getProperty("panagrad.bench.jar", ""));
        return jar.resolveSibling("peers");
    }
}
