package io.github.panagrad.examples;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/// Finds the real models and data that some tests run on.
///
/// They are not part of the project: a test that asks for one is skipped, with a message, where it
/// is absent. The system property `panagrad.assets` names their folder; without it, `shared/assets`
/// is looked for beside the working directory and beside each folder above it.
public final class Assets {
    private Assets() {}

    /// Returns a file or folder below the assets, or skips the calling test.
    public static Path require(String relative) {
        String property = System.getProperty("panagrad.assets");
        if (property != null) {
            return present(Path.of(property).resolve(relative));
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path assets = at.resolve("shared/assets");
            if (Files.isDirectory(assets)) {
                return present(assets.resolve(relative));
            }
        }
        Assumptions.abort(
                "no shared/assets found; set -Dpanagrad.assets to run tests on " + relative);
        throw new AssertionError();
    }

    private static Path present(Path path) {
        Assumptions.assumeTrue(Files.exists(path), () -> "skipped: no " + path);
        return path;
    }
}
