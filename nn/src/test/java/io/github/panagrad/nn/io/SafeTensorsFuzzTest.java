package io.github.panagrad.nn.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damages a valid file in thousands of ways: each either still reads, or gives a PanagradException
/// of one line, and none makes the reader allocate more than a small multiple of the file.
class SafeTensorsFuzzTest {
    private static final long SEED = 20250311;
    private static final int ROUNDS = 10_000;

    /// The file has 600 bytes; a parser and its buffers take some tens of kilobytes.
    private static final long MOST_BYTES = 1 << 20;

    private static final String[] SPLICES = {
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        ":",
        "0",
        "-1",
        "9223372036854775807",
        "18446744073709551616",
        "1e308",
        "4294967295",
        "2147483647",
        "null",
        "true",
        "\"F64\"",
        "\"U8\"",
        "__metadata__",
        "\\u0000",
        "[[[[[[[[",
        "\"shape\"",
        "\"data_offsets\"",
        "\"dtype\"",
        " ",
        "\n",
        "\u00e9"
    };

    @TempDir Path folder;

    private byte[] validFile() throws IOException {
        Path file = folder.resolve("valid.safetensors");
        new SafeTensorsWriter()
                .metadata("note", "seed of the fuzz test")
                .add("a.weight", Shape.of(3, 4), new float[12])
                .add("b.weight", DType.BF16, Shape.of(5), out -> out.floats(new float[5], 0, 5))
                .add("c.ids", DType.I64, Shape.of(2), out -> out.longs(new long[2], 0, 2))
                .add("d.mask", DType.BOOL, Shape.of(1, 3), MemorySegment.ofArray(new byte[3]))
                .add("e.empty", Shape.of(0), new float[0])
                .write(file);
        return Files.readAllBytes(file);
    }

    @Test
    void damagedFilesRaiseOnlyOurErrorsAndAllocateLittle() throws IOException {
        byte[] valid = validFile();
        var random = new Random(SEED);
        readAll(valid);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int refused = 0;
        int accepted = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] damaged = damage(valid, random);
            String context = "seed " + SEED + ", round " + round;
            long before = threads.getCurrentThreadAllocatedBytes();
            try {
                readAll(damaged);
                accepted++;
            } catch (PanagradException e) {
                refused++;
                assertThat(e.getMessage()).as(context).doesNotContain("\n").isNotBlank();
            } catch (Throwable e) {
                throw new AssertionError(context, e);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(allocated).as(context).isLessThan(MOST_BYTES);
        }
        // Both happen often, else the damage is too little or too much to find anything.
        assertThat(refused).isGreaterThan(ROUNDS / 2);
        assertThat(accepted).isGreaterThan(ROUNDS / 100);
    }

    @Test
    void damagedFilesOnDiskBehaveAlike() throws IOException {
        byte[] valid = validFile();
        var random = new Random(SEED + 1);
        Path file = folder.resolve("damaged.safetensors");
        for (int round = 0; round < 200; round++) {
            byte[] damaged = damage(valid, random);
            Files.write(file, damaged);
            String inMemory = outcome(() -> readAll(damaged));
            String onDisk = outcome(() -> touch(SafeTensors.open(file)));
            assertThat(onDisk.replace(file.toString(), "m"))
                    .as("seed %d, round %d", SEED + 1, round)
                    .isEqualTo(inMemory);
            Files.delete(file);
        }
    }

    private static String outcome(Runnable action) {
        try {
            action.run();
            return "read";
        } catch (PanagradException e) {
            return e.getMessage();
        }
    }

    private static void readAll(byte[] bytes) {
        touch(SafeTensors.of(Path.of("m"), MemorySegment.ofArray(bytes)));
    }

    private static void touch(SafeTensors tensors) {
        for (var entry : tensors.entries()) {
            if (entry.dtype().isFloating() || entry.dtype() == DType.I8) {
                entry.floats();
            }
            entry.storage();
        }
    }

    private static byte[] damage(byte[] valid, Random random) {
        byte[] bytes = valid.clone();
        int header = (int) ByteBuffer.wrap(valid).order(ByteOrder.LITTLE_ENDIAN).getLong();
        int times = 1 + random.nextInt(3);
        for (int i = 0; i < times; i++) {
            switch (random.nextInt(6)) {
                case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 40));
                case 1 -> {
                    if (bytes.length > 0) {
                        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
                    }
                }
                case 2 -> {
                    if (bytes.length > 8) {
                        bytes[random.nextInt(8)] ^= (byte) (1 << random.nextInt(8));
                    }
                }
                case 3, 4 -> bytes = splice(bytes, header, random);
                default -> {
                    if (bytes.length > 8 + header) {
                        int at = 8 + random.nextInt(header);
                        bytes[at] = (byte) "0123456789[]{},\":FIB".charAt(random.nextInt(20));
                    }
                }
            }
        }
        return bytes;
    }

    /// Replaces a piece of the header and, mostly, mends its length so that the JSON gets read.
    private static byte[] splice(byte[] bytes, int header, Random random) {
        if (bytes.length < 8 + header) {
            return bytes;
        }
        int at = 8 + random.nextInt(header);
        int end = Math.min(at + random.nextInt(6), 8 + header);
        byte[] piece = SPLICES[random.nextInt(SPLICES.length)].getBytes(StandardCharsets.UTF_8);
        var out = ByteBuffer.allocate(bytes.length - (end - at) + piece.length);
        out.order(ByteOrder.LITTLE_ENDIAN);
        out.put(bytes, 0, at).put(piece).put(bytes, end, bytes.length - end);
        if (random.nextInt(4) > 0) {
            out.putLong(0, header - (end - at) + piece.length);
        }
        return out.array();
    }
}
