package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.SegmentStorage;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.Storage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Named tensors in a safetensors file, or in several that an index ties together.
///
/// The files are memory-mapped: opening reads the headers only, a tensor's bytes come from the disk
/// when they are first touched, and the mapping ends when the collector finds nothing that uses it.
/// Shortening a file while it is mapped makes later reads fail; replacing it, as
/// [SafeTensorsWriter] does, does not.
///
/// ```java
/// var weights = SafeTensors.open(Path.of("SmolLM2-135M"));
/// float[] norm = weights.get("model.norm.weight").floats();
/// ```
///
/// Every promise of the format is checked on opening, so that a file from an unknown source can at
/// worst raise an error.
public final class SafeTensors {
    /// The file that a model in one piece is in.
    public static final String FILE = "model.safetensors";

    /// The file that names the pieces of a larger model.
    public static final String INDEX = "model.safetensors.index.json";

    private final Path path;
    private final Map<String, String> metadata;
    private final Map<String, Entry> entries;

    private SafeTensors(Path path, Map<String, String> metadata, Map<String, Entry> entries) {
        this.path = path;
        this.metadata = Collections.unmodifiableMap(metadata);
        this.entries = Collections.unmodifiableMap(entries);
    }

    /// Opens a safetensors file, an index file, or the one or the other in a model's folder.
    ///
    /// @throws PanagradException if a file is missing or breaks the format
    public static SafeTensors open(Path path) {
        if (Files.isDirectory(path)) {
            Path file = path.resolve(FILE);
            Path index = path.resolve(INDEX);
            if (Files.exists(file)) {
                return openFile(file);
            }
            if (Files.exists(index)) {
                return openIndex(index);
            }
            throw new PanagradException(
                    path.toString(),
                    "no weights in this folder",
                    "",
                    FILE + " or " + INDEX,
                    "weights in another format (.bin, .pth, .gguf) must be converted first");
        }
        return path.toString().endsWith(".json") ? openIndex(path) : openFile(path);
    }

    private static SafeTensors openFile(Path file) {
        return of(file, map(file));
    }

    /// Reads a file that is in memory already.
    static SafeTensors of(Path file, MemorySegment contents) {
        var header = SafeTensorsHeader.parse(file.toString(), contents);
        var entries = new TreeMap<String, Entry>();
        for (var slot : header.slots()) {
            MemorySegment data =
                    contents.asSlice(header.dataStart() + slot.begin(), slot.end() - slot.begin());
            entries.put(
                    slot.name(), new Entry(slot.name(), slot.dtype(), slot.shape(), data, file));
        }
        return new SafeTensors(file, header.metadata(), entries);
    }

    private static MemorySegment map(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
        } catch (NoSuchFileException e) {
            throw new PanagradException(file + ": no such file", e);
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read; " + e.getMessage(), e);
        }
    }

    private static SafeTensors openIndex(Path index) {
        JsonObject json = JsonObject.read(index);
        JsonObject weightMap = json.object("weight_map");
        var shards = new HashMap<String, SafeTensors>();
        var entries = new TreeMap<String, Entry>();
        for (String name : weightMap.names()) {
            String file = weightMap.string(name);
            SafeTensors shard = shards.get(file);
            if (shard == null) {
                shard = openFile(shardPath(index, name, file));
                shards.put(file, shard);
            }
            Entry entry = shard.entries.get(name);
            if (entry == null) {
                throw new PanagradException(
                        index.toString(),
                        "tensor " + Json.quote(name) + " is not in the file it is said to be in",
                        file,
                        "",
                        "do index and shards belong to the same model?");
            }
            entries.put(name, entry);
        }
        var metadata = new LinkedHashMap<String, String>();
        shards.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(shard -> metadata.putAll(shard.getValue().metadata));
        return new SafeTensors(index, metadata, entries);
    }

    /// Finds a shard beside its index; anything else in an index is an attempt to read elsewhere.
    private static Path shardPath(Path index, String name, String file) {
        boolean plain =
                !file.isEmpty()
                        && !file.equals(".")
                        && !file.equals("..")
                        && file.chars()
                                .noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
        if (!plain) {
            throw new PanagradException(
                    index.toString(),
                    "tensor " + Json.quote(name) + " lies outside the index's folder",
                    Json.quote(file),
                    "the plain name of a file beside the index",
                    "");
        }
        Path shard = index.resolveSibling(file);
        if (!Files.isRegularFile(shard)) {
            throw new PanagradException(
                    index.toString(),
                    "a shard is missing",
                    "no file " + Json.quote(file),
                    "it beside the index",
                    "is the download complete?");
        }
        return shard;
    }

    /// Returns the file or index that was opened.
    public Path path() {
        return path;
    }

    /// Returns the free text fields that the file carries, such as `format`.
    public Map<String, String> metadata() {
        return metadata;
    }

    /// Returns the names of all tensors, sorted.
    public Set<String> names() {
        return entries.keySet();
    }

    /// Returns all tensors, sorted by name.
    public Collection<Entry> entries() {
        return entries.values();
    }

    /// Tells whether there is a tensor of this name.
    public boolean contains(String name) {
        return entries.containsKey(name);
    }

    /// Returns the tensor of this name, or null where there is none.
    public @Nullable Entry find(String name) {
        return entries.get(name);
    }

    /// Returns the tensor of this name.
    ///
    /// @throws PanagradException if there is none
    public Entry get(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw missing(name);
        }
        return entry;
    }

    /// Returns the tensor of this name after comparing its shape.
    ///
    /// @throws PanagradException if there is none, or it has another shape
    public Entry get(String name, Shape shape) {
        Entry entry = get(name);
        if (!entry.shape().equals(shape)) {
            throw new PanagradException(
                    entry.file().toString(),
                    "tensor " + Json.quote(name) + " has a shape that the model contradicts",
                    entry.shape().toString(),
                    shape.toString(),
                    "do config.json and the weights belong to the same model?");
        }
        return entry;
    }

    private PanagradException missing(String name) {
        String last = name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
        var similar = names().stream().filter(n -> n.endsWith(last)).limit(2).toList();
        return new PanagradException(
                path.toString(),
                "no tensor " + Json.quote(name),
                entries.size() + " tensors",
                "",
                similar.isEmpty() ? "" : "did you mean " + String.join(" or ", similar) + "?");
    }

    /// One tensor in a file.
    ///
    /// @param name its name
    /// @param dtype the type of its elements in the file
    /// @param shape its extents
    /// @param data its bytes, little-endian, row by row; possibly not aligned to the element size
    /// @param file the file it is in
    public record Entry(String name, DType dtype, Shape shape, MemorySegment data, Path file) {
        /// Reads the elements as floats: F16, BF16 and I8 widened, F64 rounded.
        ///
        /// @throws PanagradException if the type is I32, I64 or BOOL, or there are more elements
        ///   than an array holds
        public float[] floats() {
            float[] values = new float[shape.intSize()];
            copyTo(values, 0);
            return values;
        }

        /// Reads the elements as floats into an array, from index `at` on.
        public void copyTo(float[] into, int at) {
            requireKind(dtype.isFloating() || dtype == DType.I8, "floats");
            Elements.toFloats(dtype, data, into, at, shape.intSize());
        }

        /// Reads the elements of an I32 or I64 tensor.
        public long[] longs() {
            requireKind(dtype.isIndex(), "whole numbers");
            return Elements.toLongs(dtype, data, shape.intSize());
        }

        /// Makes a storage of the tensor: BF16, F16 and I8 stay where they are, in the mapped file;
        /// the other types are copied into an array.
        public Storage storage() {
            int n = dtype.isSegment() ? 0 : shape.intSize();
            return switch (dtype) {
                case BF16, F16, I8 -> SegmentStorage.of(dtype, shape.size(), data);
                case F32 -> HeapStorage.of(floats());
                case F64 -> HeapStorage.of(Elements.toDoubles(data, n));
                case I64 -> HeapStorage.of(longs());
                case I32 -> HeapStorage.of(Elements.toInts(data, n));
                case BOOL -> HeapStorage.of(Elements.toTruths(data, n));
                case Q8, NF4 -> throw new IllegalStateException(dtype.label());
            };
        }

        private void requireKind(boolean fits, String wanted) {
            if (!fits) {
                throw new PanagradException(
                        file.toString(),
                        "tensor " + Json.quote(name) + " cannot be read as " + wanted,
                        dtype.label(),
                        "",
                        "");
            }
        }
    }
}
