package io.github.panagrad.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LauncherTest {
    @Test
    void composesTheCommand() throws Exception {
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
    void addsTheOptionsOfTornadoVmForItsDevices(@TempDir Path sdk) throws Exception {
        Files.createFile(sdk.resolve("tornado-argfile"));

        List<String> command =
                command(Map.of("TORNADOVM_HOME", sdk.toString()), "--device=tornado:1");

        assertThat(command).contains("@" + sdk.resolve("tornado-argfile"));
        assertThat(command(Map.of(), "--device", "cpu"))
                .noneMatch(option -> option.contains("tornado"));
    }

    @Test
    void saysWhatIsMissingForADeviceOfTornadoVm(@TempDir Path empty) {
        assertThatThrownBy(() -> command(Map.of(), "--device", "tornado"))
                .hasMessageContaining("point TORNADOVM_HOME at it");
        assertThatThrownBy(() ->
                        command(Map.of("TORNADOVM_HOME", empty.toString()), "--device", "tornado"))
                .hasMessageContaining("is that a TornadoVM SDK?");
    }

    private static List<String> command(Map<String, String> environment, String... arguments)
            throws Exception {
        return Launcher.command(Path.of("java"), Path.of("a.jar"), environment, true, arguments);
    }

    @Test
    void isCompiledForJava11() throws Exception {
        try (var code = Launcher.class.getResourceAsStream("Launcher.class")) {
            byte[] head = code.readNBytes(8);

            assertThat(head[7]).as("class file version").isEqualTo((byte) 55);
        }
    }
}
