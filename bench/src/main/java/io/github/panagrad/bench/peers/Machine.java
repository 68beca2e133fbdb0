package io.github.panagrad.bench.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Says what a run was made on.
final class Machine {
    private Machine() {}

    /// Returns processor, count and Java version in a few words.
    static String describe() {
        return "%s, %d processors, JDK %s"
                .formatted(
                        processor(), Runtime.getRuntime().availableProcessors(), Runtime.version());
    }

    private static String processor() {
        try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            var info = lines.toList();
            String family = field(info, "cpu family");
            String features = field(info, "flags").contains("avx512f") ? ", AVX-512" : "";
            return field(info, "model name") + " (family " + family + features + ")";
        } catch (IOException e) {
            return System.getProperty("os.arch");
        }
    }

    private static String field(java.util.List<String> info, String name) {
        return info.stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("?");
    }
}
