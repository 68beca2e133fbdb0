package io.github.panagrad.launcher;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Looks for an installed Java that runs Panagrad: the one that is asked for, the running one,
/// `JAVA_HOME`, then the places where installers put them.
final class JavaSearch {
    /// The variable that names the Java to use, a home directory or a `java` program.
    static final String VARIABLE = "PANAGRAD_JAVA";

    private static final Pattern TOOLCHAIN_HOME =
            Pattern.compile("<jdkHome>\\s*([^<]+?)\\s*</jdkHome>");

    /// Where packages of Linux distributions, macOS installers and Homebrew go.
    private static final List<String> SYSTEM_PLACES =
            List.of(
                    "usr/lib/jvm",
                    "usr/lib64/jvm",
                    "usr/java",
                    "usr/local",
                    "usr/local/java",
                    "usr/local/lib/jvm",
                    "opt",
                    "opt/java",
                    "opt/jvm",
                    "Library/Java/JavaVirtualMachines",
                    "opt/homebrew/opt",
                    "usr/local/opt",
                    "home/linuxbrew/.linuxbrew/opt");

    /// Where version managers and IDEs put what they download.
    private static final List<String> USER_PLACES =
            List.of(
                    ".sdkman/candidates/java",
                    ".jdks",
                    ".gradle/jdks",
                    ".asdf/installs/java",
                    ".local/share/mise/installs/java",
                    ".jabba/jdk",
                    "Library/Java/JavaVirtualMachines",
                    "scoop/apps");

    private static final List<String> WINDOWS_PROGRAMS =
            List.of("ProgramFiles", "ProgramW6432", "LOCALAPPDATA");

    private static final List<String> WINDOWS_VENDORS =
            List.of(
                    "Java",
                    "Eclipse Adoptium",
                    "Programs/Eclipse Adoptium",
                    "Microsoft",
                    "Amazon Corretto",
                    "Zulu",
                    "BellSoft",
                    "Semeru",
                    "SapMachine");

    private final Map<String, String> environment;
    private final Path root;
    private final Path userHome;
    private final Path runningHome;

    /// @param environment the variables of the process
    /// @param root the file system's root, another directory in tests
    /// @param userHome the user's home directory
    /// @param runningHome the home of the Java that runs the launcher
    JavaSearch(Map<String, String> environment, Path root, Path userHome, Path runningHome) {
        this.environment = environment;
        this.root = root;
        this.userHome = userHome;
        this.runningHome = runningHome;
    }

    /// Finds the Java to use.
    ///
    /// @throws LaunchException where none suits, or the one asked for does not
    JavaHome find() throws LaunchException {
        String wanted = environment.getOrDefault(VARIABLE, "");
        if (!wanted.isEmpty()) {
            return asked(wanted);
        }
        for (Path preferred : preferred()) {
            Optional<JavaHome> home = JavaHome.at(preferred);
            if (home.isPresent() && home.get().suits()) {
                return home.get();
            }
        }
        return JavaHome.choose(installed())
                .orElseThrow(() ->
                        new LaunchException(
                                "no Java "
                                        + JavaHome.OLDEST
                                        + " or later was found; install a JDK "
                                        + JavaHome.OLDEST
                                        + " (https://adoptium.net has them for every"
                                        + " system) or set "
                                        + VARIABLE
                                        + " to the directory of one."));
    }

    private static JavaHome asked(String wanted) throws LaunchException {
        JavaHome home =
                homeOf(wanted)
                        .flatMap(JavaHome::at)
                        .orElseThrow(() ->
                                new LaunchException(
                                        VARIABLE
                                                + "="
                                                + wanted
                                                + " is neither a Java home nor a java"
                                                + " program."));
        if (!home.suits()) {
            throw new LaunchException(
                    VARIABLE
                            + "="
                            + wanted
                            + " "
                            + home.shortcoming()
                            + "; Panagrad needs Java "
                            + JavaHome.OLDEST
                            + " or later.");
        }
        return home;
    }

    /// Takes a home directory as it is and a `java` program for the home it belongs to, through
    /// links such as `/usr/bin/java`.
    private static Optional<Path> homeOf(String wanted) {
        try {
            Path path = Path.of(wanted);
            if (Files.isDirectory(path)) {
                return Optional.of(path);
            }
            Path bin = path.toRealPath().getParent();
            return Optional.ofNullable(bin == null ? null : bin.getParent());
        } catch (IOException | InvalidPathException noSuchPlace) {
            return Optional.empty();
        }
    }

    private List<Path> preferred() {
        List<Path> homes = new ArrayList<>();
        homes.add(runningHome);
        addPath(homes, environment.get("JAVA_HOME"), "");
        addPath(homes, environment.get("JDK_HOME"), "");
        return homes;
    }

    /// Lists every Java in the usual places, each once.
    List<JavaHome> installed() {
        Set<Path> homes = new LinkedHashSet<>();
        toolchains(homes);
        for (Path parent : parents()) {
            children(parent, homes);
        }
        List<JavaHome> found = new ArrayList<>();
        Set<Path> seen = new LinkedHashSet<>();
        for (Path home : homes) {
            Optional<JavaHome> java = JavaHome.at(home);
            if (java.isPresent() && seen.add(real(java.get().path()))) {
                found.add(java.get());
            }
        }
        return found;
    }

    private List<Path> parents() {
        List<Path> parents = new ArrayList<>();
        for (String place : SYSTEM_PLACES) {
            parents.add(root.resolve(place));
        }
        for (String place : USER_PLACES) {
            parents.add(userHome.resolve(place));
        }
        addPath(parents, environment.get("SDKMAN_CANDIDATES_DIR"), "java");
        for (String variable : WINDOWS_PROGRAMS) {
            for (String vendor : WINDOWS_VENDORS) {
                addPath(parents, environment.get(variable), vendor);
            }
        }
        return parents;
    }

    /// Adds the homes that Maven's `toolchains.xml` names.
    private void toolchains(Collection<Path> homes) {
        Path file = userHome.resolve(".m2").resolve("toolchains.xml");
        try {
            Matcher entry = TOOLCHAIN_HOME.matcher(Files.readString(file));
            while (entry.find()) {
                addPath(homes, entry.group(1), "");
            }
        } catch (IOException noneOrUnreadable) {
            // most people have none
        }
    }

    private static void children(Path parent, Collection<Path> homes) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent, Files::isDirectory)) {
            for (Path entry : entries) {
                homes.add(entry);
                // scoop names the version in use so; Homebrew's formulas hold a bundle
                homes.add(entry.resolve("current"));
                homes.add(entry.resolve("libexec").resolve("openjdk.jdk"));
            }
        } catch (IOException | DirectoryIteratorException noneOrUnreadable) {
            // not on this machine
        }
    }

    private static void addPath(Collection<Path> paths, @Nullable String directory, String child) {
        if (directory != null && !directory.isEmpty()) {
            try {
                paths.add(Path.of(directory).resolve(child));
            } catch (InvalidPathException notAPath) {
                // a variable that holds something else
            }
        }
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException unreadable) {
            return path;
        }
    }
}
