package io.github.panagrad.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.spi.Backends;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// A JVM started without the Vector API says so once, with the flag, and computes all the same.
class WithoutVectorsTest {
    /// What the other JVM runs.
    static final class Program {
        public static void main(String[] args) {
            Parameter w = Ops.parameter("w", Ops.tensor(1, 2, 3));
            Tensor gradient = Ops.silu(w).square().sum().backward().get(w);
            System.out.printf("gradient of %d%n", gradient.size());
            System.out.println(Backends.explain());
        }
    }

    @Test
    void runsOnTheReferenceKernels() throws Exception {
        var process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Program.class.getName())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        assertThat(output)
                .contains("gradient of 3")
                .containsOnlyOnce("slow reference kernels")
                .contains("--add-modules jdk.incubator.vector")
                .contains("Silu")
                .doesNotContain("Loop");
    }
}
