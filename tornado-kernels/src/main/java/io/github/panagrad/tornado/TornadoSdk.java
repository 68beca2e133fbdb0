package io.github.panagrad.tornado;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Describes an installed TornadoVM SDK, read from the jars it ships and without loading any of
/// them.
///
/// @param home the SDK's folder
/// @param version the version of its API, as in `5.2.0`
/// @param jdk the JDK it was built for
public record TornadoSdk(Path home, String version, int jdk) {
    /// The environment variable that names the SDK's folder.
    public static final String HOME_VARIABLE = "TORNADOVM_HOME";

    /// The oldest version whose API Panagrad is written against.
    public static final String OLDEST_VERSION = "5.2.0";

    /// The oldest JDK build of the SDK that can run beside classes compiled for Java 25.
    public static final int OLDEST_JDK = 25;

    private static final String WHERE = "tornado";
    private static final Path JARS = Path.of("share", "java", "tornado");
    private static final Pattern API_JAR =
            Pattern.compile("tornado-api-(\\d+(?:\\.\\d+)*)(?:-jdk(\\d+))?(?:-.+)?\\.jar");

    /// Finds the SDK that `TORNADOVM_HOME` names; empty where the variable is not set.
    ///
    /// Throws [PanagradException] where it is set but does not point at a usable SDK.
    public static Optional<TornadoSdk> installed() {
        String home = System.getenv(HOME_VARIABLE);
        return home == null || home.isBlank() ? Optional.empty() : Optional.of(at(Path.of(home)));
    }

    /// Reads the SDK in a folder.
    ///
    /// Throws [PanagradException] where the folder holds no TornadoVM API, or one that is too old
    /// or built for an older JDK.
    public static TornadoSdk at(Path home) {
        TornadoSdk sdk =
                candidates(home)
                        .max(Comparator.comparing(s -> ModuleDescriptor.Version.parse(s.version)))
                        .orElseThrow(() ->
                                new PanagradException(
                                        WHERE,
                                        "no TornadoVM SDK",
                                        home.toString(),
                                        "a folder with " + JARS.resolve("tornado-api-*.jar"),
                                        "point " + HOME_VARIABLE + " at an SDK"));
        if (older(sdk.version, OLDEST_VERSION) || sdk.jdk < OLDEST_JDK) {
            throw new PanagradException(
                    WHERE,
                    "the TornadoVM SDK in " + home + " is too old",
                    sdk.version + " for JDK " + sdk.jdk,
                    OLDEST_VERSION + " or later for JDK " + OLDEST_JDK + " or later",
                    "install a newer SDK and point " + HOME_VARIABLE + " at it");
        }
        return sdk;
    }

    private static Stream<TornadoSdk> candidates(Path home) {
        Path jars = home.resolve(JARS);
        if (!Files.isDirectory(jars)) {
            return Stream.empty();
        }
        try (Stream<Path> files = Files.list(jars)) {
            return files
                    .map(file -> API_JAR.matcher(file.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(m -> new TornadoSdk(home, m.group(1), jdkOf(m)))
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new PanagradException(WHERE + ": cannot list " + jars + ": " + e.getMessage(), e);
        }
    }

    /// Builds from before the suffix came were for JDK 21.
    private static int jdkOf(Matcher jar) {
        return jar.group(2) == null ? 21 : Integer.parseInt(jar.group(2));
    }

    private static boolean older(String version, String limit) {
        return ModuleDescriptor.Version.parse(version)
                        .compareTo(ModuleDescriptor.Version.parse(limit))
                < 0;
    }
}
