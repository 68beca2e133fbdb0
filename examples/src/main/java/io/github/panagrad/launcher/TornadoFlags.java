package io.github.panagrad.launcher;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What `--device tornado` adds to the command: TornadoVM's own options, from its SDK.
final class TornadoFlags {
    private static final String DEVICE = "--device";
    private static final String HOME = "TORNADOVM_HOME";

    private TornadoFlags() {}

    /// Returns the options for the JVM; none where the arguments ask for no device of TornadoVM.
    ///
    /// @throws LaunchException if they do and there is no usable SDK
    static List<String> of(String[] arguments, Map<String, String> environment)
            throws LaunchException {
        if (!wanted(arguments)) {
            return List.of();
        }
        String home = environment.getOrDefault(HOME, "").trim();
        if (home.isEmpty()) {
            throw new LaunchException(
                    "--device tornado needs TornadoVM: install its SDK, 5.2.0 or later for JDK 25, and point "
                            + HOME
                            + " at it.");
        }
        Path options = Path.of(home, "tornado-argfile");
        if (!Files.isReadable(options)) {
            throw new LaunchException(
                    HOME
                            + " is "
                            + home
                            + ", which has no tornado-argfile: is that a TornadoVM SDK?");
        }
        return List.of(
                "@" + options,
                // the file names the current folder, too, whatever lies there
                "--module-path=" + Path.of(home, "share", "java", "tornado"));
    }

    private static boolean wanted(String[] arguments) {
        for (int i = 0; i < arguments.length; i++) {
            String value = null;
            if (arguments[i].startsWith(DEVICE + "=")) {
                value = arguments[i].substring(DEVICE.length() + 1);
            } else if (arguments[i].equals(DEVICE) && i + 1 < arguments.length) {
                value = arguments[i + 1];
            }
            if (value != null && value.matches("tornado(:.*)?")) {
                return true;
            }
        }
        return false;
    }
}
