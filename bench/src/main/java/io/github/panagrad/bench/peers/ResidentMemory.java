package io.github.panagrad.bench.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the operating system says of this process's memory.
public final class ResidentMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ResidentMemory() {}

    /// Returns by how many bytes the peak of the resident memory lies above what it was before, over
    /// several runs of `body`.
    public static long growth(Runnable body) {
        long before = now();
        for (int i = 0; i < 3; i++) {
            body.run();
        }
        return peak() - before;
    }

    /// Returns the bytes that are resident.
    static long now() {
        return bytes("VmRSS:");
    }

    /// Returns the most bytes that ever were resident.
    static long peak() {
        return bytes("VmHWM:");
    }

    private static long bytes(String field) {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(field)) {
                    return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
                }
            }
            throw new IllegalStateException("no " + field + " in " + STATUS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
