package io.github.panagrad.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JavaSearchTest {
    private static final String ALL_MODULES = "java.base jdk.incubator.vector jdk.jshell";

    @TempDir Path root;
    private Path user;
    private final Map<String, String> environment = new HashMap<>();
    private Path running;

    @BeforeEach
    void anOldJavaRuns() throws IOException {
        user = Files.createDirectories(root.resolve("home/ada"));
        running = install("usr/lib/jvm/java-17", "17.0.15");
    }

    @Test
    void takesTheRunningJavaWhenItSuits() throws Exception {
        running = install("somewhere/jdk-26", "26");
        install("usr/lib/jvm/java-25", "25.0.3");

        assertThat(found()).isEqualTo(running);
    }

    @Test
    void prefersJavaHomeToTheUsualPlaces() throws Exception {
        Path wanted = install("anywhere/jdk", "26.0.1");
        install("usr/lib/jvm/java-25", "25.0.3");
        environment.put("JAVA_HOME", wanted.toString());

        assertThat(found()).isEqualTo(wanted);
    }

    @Test
    void passesByAJavaHomeThatIsTooOld() throws Exception {
        environment.put("JAVA_HOME", install("anywhere/jdk", "21.0.2").toString());
        Path wanted = install("usr/lib/jvm/java-25", "25.0.3");

        assertThat(found()).isEqualTo(wanted);
    }

    @Test
    void takesTheOldestFeatureReleaseThatSuitsAndItsNewestUpdate() throws Exception {
        install("usr/lib/jvm/a", "27");
        install("usr/lib/jvm/b", "25.0.1");
        Path wanted = install("usr/lib/jvm/c", "25.0.10");
        install("usr/lib/jvm/d", "25.0.9");

        assertThat(found()).isEqualTo(wanted);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "usr/lib/jvm/java-25",
                "opt/jdk-25",
                "home/ada/.sdkman/candidates/java/25.0.3-tem",
                "home/ada/.jdks/temurin-25",
                "home/ada/.gradle/jdks/adoptium-25",
                "home/ada/scoop/apps/temurin25-jdk/current",
                "Library/Java/JavaVirtualMachines/temurin-25.jdk/Contents/Home",
                "home/ada/Library/Java/JavaVirtualMachines/ms-25/Contents/Home",
                "opt/homebrew/opt/openjdk@25/libexec/openjdk.jdk/Contents/Home"
            })
    void looksInTheUsualPlaces(String place) throws Exception {
        Path wanted = install(place, "25.0.3");

        assertThat(found()).isEqualTo(wanted);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Java/jdk-25", "Eclipse Adoptium/jdk-25.0.3.9-hotspot", "Zulu/zulu-25"})
    void looksWhereWindowsInstallersPutIt(String place) throws Exception {
        Path programs = root.resolve("Program Files");
        Path wanted = install("Program Files/" + place, "25.0.3", ALL_MODULES, "java.exe");
        environment.put("ProgramFiles", programs.toString());

        JavaHome java = search().find();

        assertThat(java.path()).isEqualTo(wanted);
        assertThat(java.executable()).hasFileName("java.exe");
    }

    @Test
    void readsMavensToolchains() throws Exception {
        Path wanted = install("far/away", "25.0.3");
        Files.createDirectories(user.resolve(".m2"));
        Files.writeString(
                user.resolve(".m2/toolchains.xml"),
                "<toolchains><toolchain><configuration><jdkHome>\n  "
                        + wanted
                        + "\n</jdkHome></configuration></toolchain></toolchains>");

        assertThat(found()).isEqualTo(wanted);
    }

    @Test
    void listsALinkedInstallOnce() throws Exception {
        Path once = install("usr/lib/jvm/java-25", "25.0.3");
        Files.createSymbolicLink(root.resolve("usr/lib/jvm/default-java"), once);

        assertThat(search().installed()).hasSize(2);
    }

    @Test
    void ignoresWhatHasNoVectorApiOrNoJavaProgramOrNoSense() throws Exception {
        install("usr/lib/jvm/slim-25", "25.0.3", "java.base java.logging", "java");
        Files.delete(install("usr/lib/jvm/broken-25", "25.0.3").resolve("bin/java"));
        install("usr/lib/jvm/odd", "twenty-five");
        Path empty = install("usr/lib/jvm/empty", "25");
        Files.writeString(empty.resolve("release"), "");

        assertThatThrownBy(this::found)
                .isInstanceOf(LaunchException.class)
                .hasMessageContaining("install a JDK 25")
                .hasMessageContaining("PANAGRAD_JAVA");
    }

    @Test
    void obeysTheVariableForAHomeAndForAProgram() throws Exception {
        install("usr/lib/jvm/java-25", "25.0.3");
        Path wanted = install("odd place/jdk", "26");
        environment.put(JavaSearch.VARIABLE, wanted.toString());
        assertThat(found()).isEqualTo(wanted);

        Path link = Files.createSymbolicLink(root.resolve("java"), wanted.resolve("bin/java"));
        environment.put(JavaSearch.VARIABLE, link.toString());
        assertThat(found()).isEqualTo(wanted.toRealPath());
    }

    @Test
    void saysWhatIsWrongWithTheJavaAskedFor() throws Exception {
        install("usr/lib/jvm/java-25", "25.0.3");
        environment.put(JavaSearch.VARIABLE, running.toString());
        assertThatThrownBy(this::found).hasMessageContaining("is Java 17");

        environment.put(JavaSearch.VARIABLE, install("slim", "25", "java.base", "java").toString());
        assertThatThrownBy(this::found).hasMessageContaining("lacks the module");

        environment.put(JavaSearch.VARIABLE, root.resolve("nowhere").toString());
        assertThatThrownBy(this::found).hasMessageContaining("neither a Java home nor");
    }

    @ParameterizedTest
    @CsvSource({
        "25, 25",
        "25.0.3, 25",
        "26-ea, 26",
        "25.0.3+9-LTS, 25",
        "1.8.0_392, 8",
        "11.0.0, 11",
        "25.0.0.0.1, 25",
        "17.0.15.0, 17",
        "25.0.1.0+8, 25"
    })
    void parsesVersions(String text, int feature) {
        assertThat(JavaHome.parseVersion(text))
                .hasValueSatisfying(version -> assertThat(version.feature()).isEqualTo(feature));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "abc", "-1", "025"})
    void refusesWhatIsNoVersion(String text) {
        assertThat(JavaHome.parseVersion(text)).isEmpty();
    }

    private Path found() throws LaunchException {
        return search().find().path();
    }

    private JavaSearch search() {
        return new JavaSearch(environment, root, user, running);
    }

    private Path install(String place, String version) throws IOException {
        return install(place, version, ALL_MODULES, "java");
    }

    private Path install(String place, String version, String modules, String program)
            throws IOException {
        Path home = Files.createDirectories(root.resolve(place));
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(home.resolve("bin").resolve(program), "");
        Files.writeString(
                home.resolve("release"),
                "IMPLEMENTOR=\"Someone\"\nJAVA_VERSION=\""
                        + version
                        + "\"\nMODULES=\""
                        + modules
                        + "\"\n");
        return home;
    }
}
