package io.github.panagrad.nn.io;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Storage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// Reads and writes tensors as safetensors files.
public final class TensorFiles {
    private TensorFiles() {}

    /// Makes a tensor of a file's entry: BF16, F16 and I8 stay in the mapped file, other types are
    /// copied to the heap.
    public static Tensor tensor(SafeTensors.Entry entry) {
        return new Tensor(entry.storage(), Layout.contiguous(entry.shape()), Device.CPU, null);
    }

    /// Makes tensors of all entries of a file, by name.
    public static Map<String, Tensor> read(Path path) {
        var tensors = new LinkedHashMap<String, Tensor>();
        SafeTensors.open(path).entries().forEach(entry -> tensors.put(entry.name(), tensor(entry)));
        return tensors;
    }

    /// Writes tensors in their own dtypes; the file is replaced whole.
    ///
    /// @param metadata free text fields
    /// @throws io.github.panagrad.engine.ground.PanagradException if the file cannot be written
    public static void write(
            Path file, Map<String, ? extends Tensor> tensors, Map<String, String> metadata) {
        var writer = new SafeTensorsWriter();
        metadata.forEach(writer::metadata);
        tensors.forEach((name, tensor) ->
                writer.add(
                        name, tensor.dtype(), tensor.shape(), out -> write(tensor.detach(), out)));
        writer.write(file);
    }

    private static void write(Tensor tensor, SafeTensorsWriter.Sink out) throws IOException {
        Tensor host = tensor.to(Device.CPU).contiguous();
        Storage storage = host.storage();
        storage.requireAlive();
        int at = host.layout().intOffset();
        int n = host.shape().intSize();
        switch (host.dtype()) {
            case F32 -> out.floats(storage.floats(), at, n);
            case F64 -> out.doubles(storage.doubles(), at, n);
            case I32 -> out.ints(storage.ints(), at, n);
            case I64 -> out.longs(storage.longs(), at, n);
            case BOOL -> out.bytes(MemorySegment.ofArray(storage.bytes()).asSlice(at, n));
            case BF16, F16, I8 -> {
                int size = host.dtype().bytes();
                out.bytes(storage.segment().asSlice((long) at * size, (long) n * size));
            }
            case Q8, NF4 -> throw new IllegalStateException(host.dtype().label());
        }
    }
}
