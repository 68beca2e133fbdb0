package io.github.panagrad.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LauncherTest {
    @Test
    void composesTheCommand() {
        List<String> command =
                Launcher.command(
                        Path.of("jdk", "bin", "java"),
                        Path.of("a b.jar"),
                        Map.of("PANAGRAD_JAVA_OPTS", " -Xmx2g  -Dx=y "),
                        true,
                        new String[] {"eval", "--data", "my file.txt"});

        assertThat(command)
                .startsWith(
                        Path.of("jdk", "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED")
                .contains("-Dpanagrad.terminal=true")
                .endsWith(
                        "-Xmx2g",
                        "-Dx=y",
                        "-cp",
                        "a b.jar",
                        "io.github.panagrad.examples.Panagrad",
                        "eval",
                        "--data",
                        "my file.txt");
    }

    @Test
    void isCompiledForJava11() throws Exception {
        try (var code = Launcher.class.getResourceAsStream("Launcher.class")) {
            byte[] head = code.readNBytes(8);

            assertThat(head[7]).as("class file version").isEqualTo((byte) 55);
        }
    }
}
