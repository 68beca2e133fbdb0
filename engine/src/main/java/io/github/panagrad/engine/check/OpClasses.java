package io.github.panagrad.engine.check;

import io.github.panagrad.engine.tape.BackwardOp;
import io.github.panagrad.engine.tape.Op;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Finds the op classes of the library: all records in the package `op`.
public final class OpClasses {
    private static final String PACKAGE = "io/github/panagrad/engine/op";

    private OpClasses() {}

    /// Returns every op but those that only serve as the backward of another, by name.
    public static List<Class<? extends Op>> all() {
        try {
            Path home =
                    Path.of(Op.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            if (Files.isDirectory(home)) {
                return in(home.resolve(PACKAGE));
            }
            try (FileSystem jar = FileSystems.newFileSystem(home)) {
                return in(jar.getPath(PACKAGE));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Class<? extends Op>> in(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .sorted()
                    .<Class<?>>map(OpClasses::load)
                    .filter(c -> Op.class.isAssignableFrom(c))
                    .filter(c -> !BackwardOp.class.isAssignableFrom(c))
                    .filter(c -> !Modifier.isAbstract(c.getModifiers()))
                    .<Class<? extends Op>>map(c -> c.asSubclass(Op.class))
                    .toList();
        }
    }

    private static Class<?> load(String simpleName) {
        try {
            return Class.forName(PACKAGE.replace('/', '.') + "." + simpleName);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
