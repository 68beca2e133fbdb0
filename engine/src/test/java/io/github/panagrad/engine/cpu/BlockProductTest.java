package io.github.panagrad.engine.cpu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.ground.DType;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BlockProductTest {
    private static final long SEED = Long.getLong("panagrad.seed", 1);

    @Test
    void agreesWithThePlainProduct() {
        BlockCases.check(SEED, 400, 60);
    }

    @Test
    void agreesWithThePlainProductOnLargerExtents() {
        BlockCases.check(SEED, 12, 400);
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void agreesBeyondOneBlockOfStepsAndOneTask(DType type) {
        var random = new Random(SEED);
        var wide = BlockCases.storage(random, type, 7, 4500);
        BlockCases.product(random, wide, 1, 7, 4500, 0, 4500, true, "seed " + SEED + ": ");
        BlockCases.product(random, wide, 1, 6, 4400, 4564, 4500, true, "seed " + SEED + ": ");
        var tall = BlockCases.storage(random, type, 9001, 160);
        BlockCases.product(random, tall, 1, 9001, 160, 0, 160, true, "seed " + SEED + ": ");
        BlockCases.product(random, tall, 2, 160, 9001, 0, 160, false, "seed " + SEED + ": ");
    }

    /// See [GemmTest]: the width is fixed when the class loads; on x86 256
    /// bits also stand for a machine with only 16 vector registers, and a pretended aarch64 for 32
    /// short ones.
    @ParameterizedTest
    @CsvSource({"128,2,amd64", "128,3,aarch64", "256,2,amd64", "512,3,amd64"})
    void worksWithEveryVectorWidth(int bits, int avx, String arch)
            throws IOException, InterruptedException {
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
                                root(Gemm.class) + File.pathSeparator + root(BlockCases.class),
                                BlockCases.class.getName()));
        command.addAll(List.of("" + SEED, "60", "70"));
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
}
