package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// The header of a safetensors file, with every promise of the format checked.
///
/// A file is 8 bytes of header length, that much JSON, then the tensors back to back. Nothing is
/// allocated by a size that the file merely claims: the header is read only once it is known to lie
/// within the file, and tensors are slices of the mapped file.
///
/// @param metadata the free text fields of `__metadata__`
/// @param slots the tensors in the order of their data
/// @param dataStart where the data begins in the file; the slots' offsets count from here
record SafeTensorsHeader(Map<String, String> metadata, List<Slot> slots, long dataStart) {
    /// The format's own limit, against headers made to exhaust memory.
    static final long MAX_HEADER = 100_000_000;

    /// More dimensions than any tensor has; keeps a hostile shape from growing without bound.
    private static final int MAX_RANK = 64;

    private static final String METADATA = "__metadata__";
    private static final ValueLayout.OfLong LENGTH =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// One tensor: what it is and where its bytes lie.
    record Slot(String name, DType dtype, Shape shape, long begin, long end) {}

    /// Reads and checks the header.
    ///
    /// @param where what errors call the file
    /// @throws PanagradException if the file breaks the format in any way
    static SafeTensorsHeader parse(String where, MemorySegment file) {
        long size = file.byteSize();
        if (size < 8) {
            throw new PanagradException(
                    where,
                    "too short for a safetensors file",
                    size + " bytes",
                    "at least 8",
                    "is the download complete?");
        }
        long length = file.get(LENGTH, 0);
        if (length < 0 || length > MAX_HEADER) {
            throw new PanagradException(
                    where,
                    "header too long",
                    Long.toUnsignedString(length) + " bytes",
                    "at most " + MAX_HEADER,
                    "is it a safetensors file?");
        }
        if (length > size - 8) {
            throw new PanagradException(
                    where,
                    "header runs beyond the end of the file",
                    length + " bytes of header in a file of " + size + " bytes",
                    "",
                    "is the download complete?");
        }
        byte[] json = file.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
        if (json.length == 0 || json[0] != '{') {
            throw new PanagradException(
                    where, "header is not a JSON object", "", "{ as its first byte", "");
        }
        var reader = new Reader(where, size - 8 - length);
        try (JsonParser in = Json.parser(json)) {
            reader.header(in);
        } catch (JacksonException e) {
            throw Json.notJson(where + ": header", e);
        }
        reader.requireSeamless();
        return new SafeTensorsHeader(
                Collections.unmodifiableMap(reader.metadata),
                Collections.unmodifiableList(reader.slots),
                8 + length);
    }

    /// Walks the header's JSON without building a tree of it.
    private static final class Reader {
        final String where;
        final long dataLength;
        final Map<String, String> metadata = new LinkedHashMap<>();
        final List<Slot> slots = new ArrayList<>();

        Reader(String where, long dataLength) {
            this.where = where;
            this.dataLength = dataLength;
        }

        void header(JsonParser in) {
            in.nextToken();
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String name = in.currentName();
                if (in.nextToken() != JsonToken.START_OBJECT) {
                    throw broken(name, "is not described by an object", text(in), "{…}");
                }
                if (name.equals(METADATA)) {
                    metadata(in);
                } else {
                    slots.add(tensor(in, name));
                }
            }
            if (in.nextToken() != null) {
                throw new PanagradException(
                        where, "text after the header's JSON object", text(in), "blanks", "");
            }
        }

        void metadata(JsonParser in) {
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String key = in.currentName();
                if (in.nextToken() != JsonToken.VALUE_STRING) {
                    throw broken(METADATA, "has a value that is no text", key, "strings only");
                }
                metadata.put(key, in.getString());
            }
        }

        Slot tensor(JsonParser in, String name) {
            DType dtype = null;
            long[] dims = null;
            long[] offsets = null;
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String key = in.currentName();
                in.nextToken();
                switch (key) {
                    case "dtype" -> dtype = dtype(in, name);
                    case "shape" -> dims = wholeNumbers(in, name, "shape", MAX_RANK);
                    case "data_offsets" -> offsets = wholeNumbers(in, name, "data_offsets", 2);
                    default -> in.skipChildren();
                }
            }
            if (dtype == null || dims == null || offsets == null) {
                String missing = dtype == null ? "dtype" : dims == null ? "shape" : "data_offsets";
                throw broken(name, "has no " + missing, "", "dtype, shape and data_offsets");
            }
            Shape shape = shape(name, dims);
            if (offsets.length != 2 || offsets[0] > offsets[1]) {
                throw broken(
                        name,
                        "has data_offsets that are no range",
                        Arrays.toString(offsets),
                        "[begin, end] with begin <= end");
            }
            if (offsets[1] > dataLength) {
                throw broken(
                        name,
                        "lies beyond the end of the file",
                        "data up to byte " + offsets[1],
                        "at most " + dataLength + " bytes of data; is the download complete?");
            }
            // Cannot overflow: the data is shorter than 2^63 and elements are at most 8 bytes.
            if (shape.size() > Long.MAX_VALUE / 8
                    || shape.size() * dtype.bytes() != offsets[1] - offsets[0]) {
                throw broken(
                        name,
                        "has a size that its shape contradicts",
                        (offsets[1] - offsets[0]) + " bytes",
                        shape.size()
                                + " × "
                                + dtype.bytes()
                                + " bytes for "
                                + dtype.label()
                                + shape);
            }
            return new Slot(name, dtype, shape, offsets[0], offsets[1]);
        }

        DType dtype(JsonParser in, String name) {
            if (in.currentToken() != JsonToken.VALUE_STRING) {
                throw broken(name, "has a dtype that is no text", text(in), known());
            }
            String text = in.getString();
            for (DType dtype : DType.values()) {
                if (!dtype.isBlock() && dtype.name().equals(text)) {
                    return dtype;
                }
            }
            throw broken(name, "has a dtype that is unknown here", Json.quote(text), known());
        }

        private static String known() {
            return String.join(
                    ", ",
                    Arrays.stream(DType.values())
                            .filter(dtype -> !dtype.isBlock())
                            .map(DType::name)
                            .toList());
        }

        long[] wholeNumbers(JsonParser in, String name, String key, int most) {
            if (in.currentToken() != JsonToken.START_ARRAY) {
                throw broken(name, "has a " + key + " that is no list", text(in), "[…]");
            }
            long[] values = new long[4];
            int n = 0;
            while (in.nextToken() != JsonToken.END_ARRAY) {
                if (n == most) {
                    throw broken(
                            name,
                            "has a " + key + " that is too long",
                            "more than " + most + " numbers",
                            "at most " + most);
                }
                if (in.currentToken() != JsonToken.VALUE_NUMBER_INT
                        || in.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                        || in.getLongValue() < 0) {
                    throw broken(
                            name,
                            "has a wrong number in its " + key,
                            text(in),
                            "whole numbers from 0 to 2^63-1");
                }
                if (n == values.length) {
                    values = Arrays.copyOf(values, 2 * n);
                }
                values[n++] = in.getLongValue();
            }
            return Arrays.copyOf(values, n);
        }

        Shape shape(String name, long[] dims) {
            int[] extents = new int[dims.length];
            long product = 1;
            for (int i = 0; i < dims.length; i++) {
                boolean overflows = dims[i] != 0 && product > Long.MAX_VALUE / dims[i];
                if (dims[i] > Integer.MAX_VALUE || overflows) {
                    throw broken(
                            name,
                            "has a shape that is too large",
                            Json.quote(Arrays.toString(dims)),
                            "extents below 2^31 and fewer than 2^63 elements");
                }
                product *= dims[i];
                extents[i] = (int) dims[i];
            }
            return Shape.of(extents);
        }

        /// Tensors must cover the data exactly: overlaps and gaps can smuggle content past a scan.
        void requireSeamless() {
            slots.sort(Comparator.comparingLong(Slot::begin).thenComparingLong(Slot::end));
            long covered = 0;
            @Nullable Slot previous = null;
            for (Slot slot : slots) {
                if (slot.begin() < covered && previous != null) {
                    throw broken(
                            slot.name(),
                            "overlaps tensor " + Json.quote(previous.name()),
                            "begin " + slot.begin(),
                            "" + covered);
                }
                if (slot.begin() > covered) {
                    throw broken(
                            slot.name(),
                            "leaves a gap before it",
                            "begin " + slot.begin(),
                            "" + covered);
                }
                covered = slot.end();
                previous = slot;
            }
            if (covered != dataLength) {
                throw new PanagradException(
                        where,
                        "bytes after the last tensor",
                        (dataLength - covered) + " bytes",
                        "none",
                        "");
            }
        }

        PanagradException broken(String name, String what, String got, String expected) {
            return new PanagradException(
                    where, "tensor " + Json.quote(name) + " " + what, got, expected, "");
        }

        private static String text(JsonParser in) {
            return Json.quote(String.valueOf(in.getString()));
        }
    }
}
