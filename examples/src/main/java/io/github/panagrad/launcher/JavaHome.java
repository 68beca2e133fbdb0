package io.github.panagrad.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// An installed Java, known from its `release` file alone: nothing is started to look at it.
final class JavaHome {
    /// The oldest feature release that runs Panagrad.
    static final int OLDEST = 25;

    /// The module with the Vector API; a stripped-down run-time image may lack it.
    static final String VECTOR_MODULE = "jdk.incubator.vector";

    private static final Pattern ENTRY = Pattern.compile("^([A-Z_]+)=\"?([^\"]*)\"?$");

    private final Path path;
    private final Runtime.Version version;
    private final boolean hasVectors;

    private JavaHome(Path path, Runtime.Version version, boolean hasVectors) {
        this.path = path;
        this.version = version;
        this.hasVectors = hasVectors;
    }

    /// Reads what is installed at a path; empty where there is no Java, or one that says nothing
    /// about itself.
    ///
    /// @param directory a Java home, or a macOS bundle around one
    static Optional<JavaHome> at(Path directory) {
        for (Path home : List.of(directory, directory.resolve("Contents").resolve("Home"))) {
            Path release = home.resolve("release");
            if (Files.isRegularFile(release) && Files.isRegularFile(executable(home))) {
                try {
                    return parse(home, Files.readAllLines(release));
                } catch (IOException unreadable) {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<JavaHome> parse(Path home, List<String> release) {
        Runtime.Version version = null;
        boolean vectors = true;
        for (String line : release) {
            Matcher entry = ENTRY.matcher(line.trim());
            if (!entry.matches()) {
                continue;
            }
            String value = entry.group(2);
            if (entry.group(1).equals("JAVA_VERSION")) {
                version = parseVersion(value).orElse(null);
            } else if (entry.group(1).equals("MODULES")) {
                vectors = List.of(value.split(" ")).contains(VECTOR_MODULE);
            }
        }
        return version == null
                ? Optional.empty()
                : Optional.of(new JavaHome(home, version, vectors));
    }

    /// Parses `25.0.3`, `26-ea` or the old `1.8.0_392`; empty for what is no Java version.
    static Optional<Runtime.Version> parseVersion(String text) {
        String modern = text.startsWith("1.") ? text.substring(2).replaceFirst("_.*$", "") : text;
        // Versions end in no zero element by the standard; distributions write some all the same.
        String canonical = modern.replaceFirst("^([0-9.]*?)(?:\\.0)+(?=$|[-+])", "$1");
        try {
            return Optional.of(Runtime.Version.parse(canonical));
        } catch (IllegalArgumentException notAVersion) {
            return Optional.empty();
        }
    }

    /// Tells whether Panagrad runs on it.
    boolean suits() {
        return version.feature() >= OLDEST && hasVectors;
    }

    /// Says in a few words why [#suits()] is false.
    String shortcoming() {
        return version.feature() < OLDEST
                ? "is Java " + version.feature()
                : "lacks the module " + VECTOR_MODULE;
    }

    Path path() {
        return path;
    }

    Runtime.Version version() {
        return version;
    }

    /// The program that starts it.
    Path executable() {
        return executable(path);
    }

    private static Path executable(Path home) {
        Path bin = home.resolve("bin");
        Path windows = bin.resolve("java.exe");
        return Files.isRegularFile(windows) ? windows : bin.resolve("java");
    }

    /// Chooses among several: the oldest feature release that suits, since an incubating module may
    /// change or graduate in a later one, and of that the newest update.
    static Optional<JavaHome> choose(List<JavaHome> candidates) {
        List<JavaHome> suitable = new ArrayList<>();
        for (JavaHome candidate : candidates) {
            if (candidate.suits()) {
                suitable.add(candidate);
            }
        }
        return suitable.stream()
                .min((a, b) -> {
                    int feature = Integer.compare(a.version.feature(), b.version.feature());
                    return feature != 0 ? feature : b.version.compareTo(a.version);
                });
    }

    @Override
    public String toString() {
        return "Java " + version + " at " + path;
    }
}
