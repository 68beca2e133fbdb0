package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/// The host's side of a device's arrays.
///
/// TornadoVM wants an array of the host's for every one of the device's. Ours are mapped to a file
/// that holds nothing and is already deleted: only what is copied back takes memory.
final class Mirror {
    private Mirror() {}

    /// Returns host memory for so many elements and a header, none of which exists until touched.
    static MemorySegment untouched(int elements) {
        long bytes = TornadoNativeArray.ARRAY_HEADER + 4L * elements;
        try {
            Path file = Files.createTempFile("panagrad-device", ".mem");
            try (FileChannel channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.DELETE_ON_CLOSE)) {
                return channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, Arena.global());
            }
        } catch (IOException e) {
            throw new PanagradException(
                    "tornado: no place for the device's mirror, a sparse file of "
                            + bytes
                            + " bytes: "
                            + e.getMessage(),
                    e);
        }
    }
}
