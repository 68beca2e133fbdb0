package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Writes named tensors to a safetensors file.
///
/// Each tensor is asked for its elements when its turn comes, in pieces as large as it likes, so a
/// model of any size is written without a second copy of it. The file is written beside its target,
/// forced to the disk and renamed: a reader never sees half of it, and an older file stays as it
/// was when something fails.
///
/// ```java
/// new SafeTensorsWriter()
///         .add("norm.weight", Shape.of(64), weights)
///         .add("head.weight", BF16, Shape.of(512, 64), out -> out.floats(head, 0, head.length))
///         .write(Path.of("model.safetensors"));
/// ```
///
/// Tensors of wider types come first, then they are sorted by name: every tensor is aligned to its
/// element size, and the same tensors give the same bytes.
public final class SafeTensorsWriter {
    private static final int BUFFER = 1 << 20;

    private final Map<String, String> metadata = new TreeMap<>(Map.of("format", "pt"));
    private final Map<String, Pending> tensors = new TreeMap<>();

    private record Pending(String name, DType dtype, Shape shape, Source source) {
        long bytes() {
            return Math.multiplyExact(shape.size(), (long) dtype.bytes());
        }
    }

    /// Writes the elements of one tensor when asked to.
    @FunctionalInterface
    public interface Source {
        /// Writes all elements, row by row, in one or several calls.
        void writeTo(Sink out) throws IOException;
    }

    /// Creates a writer whose file carries `format: pt`, as most readers expect.
    public SafeTensorsWriter() {}

    /// Adds a free text field.
    public SafeTensorsWriter metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /// Adds a tensor whose elements `source` writes when [#write] comes to it.
    ///
    /// @throws PanagradException if the name is taken or reserved, or the format lacks the dtype
    public SafeTensorsWriter add(String name, DType dtype, Shape shape, Source source) {
        if (dtype.isBlock()) {
            throw new PanagradException(
                    "safetensors",
                    "the format has no " + dtype.label(),
                    "tensor " + Json.quote(name),
                    "a type whose elements stand alone",
                    "convert with to(DType.BF16) or to(DType.F32) before saving");
        }
        if (name.equals("__metadata__")) {
            throw new PanagradException(
                    "safetensors", "reserved name", name, "another name for the tensor", "");
        }
        if (tensors.putIfAbsent(name, new Pending(name, dtype, shape, source)) != null) {
            throw new PanagradException(
                    "safetensors", "two tensors of the same name", Json.quote(name), "", "");
        }
        return this;
    }

    /// Adds an F32 tensor; the array is read when [#write] comes to it.
    public SafeTensorsWriter add(String name, Shape shape, float[] values) {
        return add(name, DType.F32, shape, out -> out.floats(values, 0, values.length));
    }

    /// Adds a tensor whose bytes are there already, such as one of another file.
    public SafeTensorsWriter add(String name, DType dtype, Shape shape, MemorySegment bytes) {
        return add(name, dtype, shape, out -> out.bytes(bytes));
    }

    /// Writes the file; folders that are missing are created.
    ///
    /// @throws PanagradException if the file cannot be written, or a source writes another number
    ///   of elements than its shape has; an older file is then left as it was
    public void write(Path file) {
        var order = new ArrayList<>(tensors.values());
        order.sort(
                Comparator.comparingInt((Pending p) -> -p.dtype().bytes())
                        .thenComparing(Pending::name));
        byte[] header = header(order);
        if (header.length - 8 > SafeTensorsHeader.MAX_HEADER) {
            throw new PanagradException(
                    file.toString(),
                    "header too long",
                    header.length + " bytes",
                    "at most " + SafeTensorsHeader.MAX_HEADER,
                    "use fewer tensors or shorter names");
        }
        AtomicFile.write(
                file,
                channel -> {
                    AtomicFile.writeFully(channel, ByteBuffer.wrap(header));
                    ByteBuffer buffer =
                            ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
                    for (Pending tensor : order) {
                        var sink = new Sink(tensor, channel, buffer);
                        tensor.source().writeTo(sink);
                        sink.finish();
                    }
                });
    }

    private byte[] header(List<Pending> order) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("__metadata__", metadata);
        long offset = 0;
        for (Pending tensor : order) {
            long end = Math.addExact(offset, tensor.bytes());
            List<Object> dims = new ArrayList<>();
            for (int d : tensor.shape().toArray()) {
                dims.add((long) d);
            }
            var description = new LinkedHashMap<String, Object>();
            description.put("dtype", tensor.dtype().name());
            description.put("shape", dims);
            description.put("data_offsets", List.<Object>of(offset, end));
            fields.put(tensor.name(), description);
            offset = end;
        }
        byte[] json = Json.text(fields, false).getBytes(StandardCharsets.UTF_8);
        // The data begins at a multiple of 8, so that mapped tensors are aligned.
        int padded = (json.length + 7) / 8 * 8;
        ByteBuffer out = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(padded).put(json);
        while (out.hasRemaining()) {
            out.put((byte) ' ');
        }
        return out.array();
    }

    /// Takes the elements of one tensor.
    public static final class Sink {
        private final Pending tensor;
        private final FileChannel channel;
        private final ByteBuffer buffer;
        private long written;

        private Sink(Pending tensor, FileChannel channel, ByteBuffer buffer) {
            this.tensor = tensor;
            this.channel = channel;
            this.buffer = buffer;
        }

        /// Writes floats, rounded to nearest even where the tensor's type is narrower.
        ///
        /// @throws PanagradException if the tensor's type is not a floating one
        public void floats(float[] values, int from, int length) throws IOException {
            requireKind(tensor.dtype().isFloating(), "floats");
            int size = tensor.dtype().bytes();
            int most = Math.min(buffer.capacity() / size, 1 << 14);
            for (int done = 0; done < length; ) {
                int n = Math.min(most, length - done);
                room(n * size);
                Elements.put(tensor.dtype(), values, from + done, n, buffer);
                done += n;
            }
            advance((long) length * size);
        }

        /// Writes doubles.
        ///
        /// @throws PanagradException if the tensor's type is not F64
        public void doubles(double[] values, int from, int length) throws IOException {
            requireKind(tensor.dtype() == DType.F64, "doubles");
            for (int i = 0; i < length; i++) {
                room(8);
                buffer.putDouble(values[from + i]);
            }
            advance(8L * length);
        }

        /// Writes whole numbers.
        ///
        /// @throws PanagradException if the tensor's type is neither I32 nor I64
        public void ints(int[] values, int from, int length) throws IOException {
            requireKind(tensor.dtype().isIndex(), "whole numbers");
            boolean wide = tensor.dtype() == DType.I64;
            for (int i = 0; i < length; i++) {
                room(8);
                if (wide) {
                    buffer.putLong(values[from + i]);
                } else {
                    buffer.putInt(values[from + i]);
                }
            }
            advance((long) tensor.dtype().bytes() * length);
        }

        /// Writes whole numbers.
        ///
        /// @throws PanagradException if the tensor's type is not I64
        public void longs(long[] values, int from, int length) throws IOException {
            requireKind(tensor.dtype() == DType.I64, "longs");
            for (int i = 0; i < length; i++) {
                room(8);
                buffer.putLong(values[from + i]);
            }
            advance(8L * length);
        }

        /// Writes elements that are in the file's form already: the tensor's type, little-endian.
        public void bytes(MemorySegment bytes) throws IOException {
            long size = bytes.byteSize();
            for (long done = 0; done < size; ) {
                int n = (int) Math.min(buffer.capacity(), size - done);
                room(n);
                MemorySegment.copy(
                        bytes,
                        ValueLayout.JAVA_BYTE,
                        done,
                        MemorySegment.ofBuffer(buffer),
                        ValueLayout.JAVA_BYTE,
                        0,
                        n);
                buffer.position(buffer.position() + n);
                done += n;
            }
            advance(size);
        }

        private void room(int bytes) throws IOException {
            if (buffer.remaining() < bytes) {
                flush();
            }
        }

        private void flush() throws IOException {
            buffer.flip();
            AtomicFile.writeFully(channel, buffer);
            buffer.clear();
        }

        private void advance(long bytes) {
            written += bytes;
            if (written > tensor.bytes()) {
                throw wrongCount("more");
            }
        }

        private void finish() throws IOException {
            flush();
            if (written != tensor.bytes()) {
                throw wrongCount("fewer");
            }
        }

        private PanagradException wrongCount(String direction) {
            return new PanagradException(
                    "safetensors",
                    "tensor "
                            + Json.quote(tensor.name())
                            + " got "
                            + direction
                            + " elements than it has",
                    written / tensor.dtype().bytes() + " elements",
                    tensor.shape().size() + " for " + tensor.dtype().label() + tensor.shape(),
                    "");
        }

        private void requireKind(boolean fits, String given) {
            if (!fits) {
                throw new PanagradException(
                        "safetensors",
                        "tensor " + Json.quote(tensor.name()) + " does not take " + given,
                        tensor.dtype().label(),
                        "",
                        "");
            }
        }
    }
}
