package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

class TornadoSdkTest {
    @TempDir Path home;

    @Test
    void readsVersionAndJdkFromTheApiJar() throws IOException {
        jar("tornado-runtime-9.9.9-jdk25.jar");
        jar("tornado-api-5.2.0-jdk25.jar");
        assertThat(TornadoSdk.at(home)).isEqualTo(new TornadoSdk(home, "5.2.0", 25));
    }

    @Test
    void acceptsNewerAndDevelopmentBuilds() throws IOException {
        jar("tornado-api-5.10.1-jdk26-dev.jar");
        assertThat(TornadoSdk.at(home)).isEqualTo(new TornadoSdk(home, "5.10.1", 26));
    }

    @Test
    void comparesVersionsAsNumbers() throws IOException {
        jar("tornado-api-5.10.0-jdk25.jar");
        jar("tornado-api-5.9.0-jdk25.jar");
        assertThat(TornadoSdk.at(home).version()).isEqualTo("5.10.0");
    }

    @Test
    void namesAnOldVersion() throws IOException {
        jar("tornado-api-4.0.1-jdk25.jar");
        assertThatThrownBy(() -> TornadoSdk.at(home))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("too old; got 4.0.1 for JDK 25; expected 5.2.0 or later");
    }

    @Test
    void namesABuildForAnOlderJdk() throws IOException {
        jar("tornado-api-5.2.0.jar");
        assertThatThrownBy(() -> TornadoSdk.at(home))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("got 5.2.0 for JDK 21");
    }

    @Test
    void namesAFolderWithoutAnSdk() throws IOException {
        assertThatThrownBy(() -> TornadoSdk.at(home))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("no TornadoVM SDK; got " + home)
                .hasMessageContaining("TORNADOVM_HOME");
        jar("tornado-runtime-5.2.0-jdk25.jar");
        assertThatThrownBy(() -> TornadoSdk.at(home)).isInstanceOf(PanagradException.class);
    }

    /// The profile that builds this module is switched on by the variable: it must not lie.
    @Test
    @EnabledIfEnvironmentVariable(named = TornadoSdk.HOME_VARIABLE, matches = ".+")
    void theSdkOfThisMachineIsUsable() {
        assertThat(TornadoSdk.installed()).isPresent();
    }

    private void jar(String name) throws IOException {
        Path jars = Files.createDirectories(home.resolve("share/java/tornado"));
        Files.createFile(jars.resolve(name));
    }
}
