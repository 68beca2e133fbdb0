package io.github.panagrad.engine.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Holds the house rules that a look at the source text can decide, over all modules.
class SourceTest {
    private static final int LONGEST_FILE = 500;

    private static final Path ROOT = root();

    @Test
    void everyModuleIsLookedAt() {
        assertThat(modules())
                .extracting(module -> module.getFileName().toString())
                .contains(
                        "engine",
                        "losses",
                        "nn",
                        "adapters",
                        "tornado-kernels",
                        "examples",
                        "bench");
    }

    @Test
    void noFileIsLongerThanFiveHundredLines() {
        assertThat(
                        sources("src/main/java", "src/test/java")
                                .filter(f -> lines(f).size() > LONGEST_FILE))
                .as("files above %d lines have two subjects: split them", LONGEST_FILE)
                .isEmpty();
    }

    @Test
    void everyPackageSaysWhatItIsAndIsNullMarked() {
        var packages = new TreeSet<Path>();
        sources("src/main/java")
                .filter(file -> !file.getFileName().toString().equals("module-info.java"))
                .forEach(file -> packages.add(file.getParent()));
        assertThat(packages).isNotEmpty();
        assertThat(packages).allSatisfy(SourceTest::describedAndNullMarked);
    }

    private static void describedAndNullMarked(Path directory) {
        Path info = directory.resolve("package-info.java");
        assertThat(info).exists();
        assertThat(lines(info))
                .as("%s: starts with /// documentation", ROOT.relativize(info))
                .first()
                .asString()
                .startsWith("/// ");
        assertThat(lines(info))
                .as("%s: carries @NullMarked", ROOT.relativize(info))
                .contains("@NullMarked");
    }

    private static Stream<Path> sources(String... folders) {
        return modules().stream()
                .flatMap(module -> Stream.of(folders).map(module::resolve))
                .filter(Files::isDirectory)
                .flatMap(SourceTest::javaFiles);
    }

    private static Stream<Path> javaFiles(Path folder) {
        try (Stream<Path> walk = Files.walk(folder)) {
            return walk.filter(file -> file.toString().endsWith(".java")).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> modules() {
        try (Stream<Path> children = Files.list(ROOT)) {
            return children.filter(child -> Files.isRegularFile(child.resolve("pom.xml")))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path root() {
        Path directory = Path.of("").toAbsolutePath();
        while (directory != null && !Files.isDirectory(directory.resolve(".mvn"))) {
            directory = directory.getParent();
        }
        if (directory == null) {
            throw new IllegalStateException(
                    "no folder with .mvn above " + Path.of("").toAbsolutePath());
        }
        return directory;
    }
}
