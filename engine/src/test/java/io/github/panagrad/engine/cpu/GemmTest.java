package io.github.panagrad.engine.cpu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Parallel;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GemmTest {
    private int before;

    @BeforeEach
    void remember() {
        before = Parallel.threads();
    }

    @AfterEach
    void restore() {
        Parallel.setThreads(before);
    }

    @Test
    void agreesWithThePlainProductOnSmallExtents() {
        GemmCases.check(Long.getLong("panagrad.seed", 1), 400, 70);
    }

    @Test
    void agreesWithThePlainProductOnLargerExtents() {
        GemmCases.check(Long.getLong("panagrad.seed", 1), 12, 500);
    }

    @ParameterizedTest
    @CsvSource({
        "8,40,9000",
        "40,33,7001",
        "3,2,100000",
        "5000,3,40",
        "3,9000,70",
        "130,9000,5",
        "7,500,4200",
        "24,100,4100"
    })
    void agreesWithThePlainProductBeyondOneBlock(int m, int n, int k) {
        long seed = Long.getLong("panagrad.seed", 1);
        var random = new Random(seed);
        for (int round = 0; round < 3; round++) {
            GemmCases.checkOne(random, m, n, k, "seed " + seed + ": ");
        }
    }

    /// The width is fixed when the class loads, so each width needs a JVM of its own; on x86 256
    /// bits also stand for a machine with only 16 vector registers, and a pretended aarch64 for 32
    /// short ones.
    @ParameterizedTest
    @CsvSource({"128,2,amd64", "128,3,aarch64", "256,2,amd64", "256,3,aarch64", "512,3,amd64"})
    void worksWithEveryVectorWidth(int bits, int avx, String arch)
            throws IOException, InterruptedException {
        long seed = Long.getLong("panagrad.seed", 1);
        var command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--add-modules=jdk.incubator.vector",
                                "-XX:+IgnoreUnrecognizedVMOptions",
                                "-XX:UseAVX=" + avx,
                                "-Dpanagrad.vectorBits=" + bits,
                                "-Dos.arch=" + arch,
                                "-cp",
                                root(Gemm.class) + File.pathSeparator + root(GemmCases.class),
                                GemmCases.class.getName()));
        command.addAll(List.of("" + seed, "40", "70"));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(output).contains("checked with " + bits / 32 + " lanes");
        assertThat(process.exitValue()).as(output).isZero();
    }

    private static String root(Class<?> type) {
        String name = "/" + type.getName().replace('.', '/') + ".class";
        String url = type.getResource(name).getPath();
        return url.substring(0, url.length() - name.length());
    }

    @Test
    void refusesWhatDoesNotFit() {
        float[] x = new float[12];
        assertThatThrownBy(
                        () -> Gemm.sgemm(false, false, 3, 4, 5, x, 0, 5, x, 0, 4, x, 0, 4, false))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("sgemm")
                .hasMessageContaining("A");
        assertThatThrownBy(
                        () -> Gemm.sgemm(false, false, 3, 4, 2, x, 0, 2, x, 0, 3, x, 0, 4, false))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("B");
        assertThatThrownBy(
                        () -> Gemm.sgemm(false, false, 3, 4, 2, x, 0, 2, x, 0, 4, x, 1, 4, false))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("C");
        assertThatThrownBy(
                        () -> Gemm.sgemm(false, false, -3, 4, 2, x, 0, 2, x, 0, 4, x, 0, 4, false))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("negative");
    }
}
