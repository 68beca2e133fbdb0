package io.github.panagrad.nn.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Half;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Assets;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SafeTensorsTest {
    @TempDir Path folder;

    /// Builds a file from a header and a number of zero bytes.
    static byte[] file(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + json.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .array();
    }

    private static SafeTensors parse(byte[] bytes) {
        return SafeTensors.of(Path.of("m.safetensors"), MemorySegment.ofArray(bytes));
    }

    private static String tensor(String dtype, String shape, String offsets) {
        return "{\"dtype\":\""
                + dtype
                + "\",\"shape\":"
                + shape
                + ",\"data_offsets\":"
                + offsets
                + "}";
    }

    @Test
    void writesAndReadsEveryType() {
        Path file = folder.resolve("all.safetensors");
        float[] values = {0, 1, -2.5f, 3.140625f, Float.POSITIVE_INFINITY, 1e-3f};
        Shape shape = Shape.of(2, 3);
        new SafeTensorsWriter()
                .metadata("by", "test")
                .add("f32", shape, values)
                .add("bf16", DType.BF16, shape, out -> out.floats(values, 0, 6))
                .add("f16", DType.F16, shape, out -> out.floats(values, 0, 6))
                .add("f64", DType.F64, shape, out -> out.floats(values, 0, 6))
                .add("i32", DType.I32, shape, out -> out.ints(new int[] {1, 2, 3, 4, 5, -6}, 0, 6))
                .add("i64", DType.I64, shape, out -> out.ints(new int[] {1, 2, 3, 4, 5, -6}, 0, 6))
                .add("i8", DType.I8, shape, MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, -6}))
                .add(
                        "bool",
                        DType.BOOL,
                        shape,
                        MemorySegment.ofArray(new byte[] {1, 0, 1, 0, 5, 0}))
                .add("scalar", Shape.SCALAR, new float[] {42})
                .add("empty", Shape.of(0, 5), new float[0])
                .write(file);

        var read = SafeTensors.open(file);
        assertThat(read.metadata()).containsEntry("format", "pt").containsEntry("by", "test");
        assertThat(read.names())
                .containsExactly(
                        "bf16", "bool", "empty", "f16", "f32", "f64", "i32", "i64", "i8", "scalar");
        assertThat(read.get("f32").floats()).isEqualTo(values);
        assertThat(read.get("f64").floats()).isEqualTo(values);
        assertThat(read.get("f64").storage().doubles()[3]).isEqualTo(3.140625);
        float[] bf16 = read.get("bf16").floats();
        float[] f16 = read.get("f16").floats();
        for (int i = 0; i < values.length; i++) {
            assertThat(bf16[i]).isEqualTo(Half.bf16ToFloat(Half.floatToBf16(values[i])));
            assertThat(f16[i]).isEqualTo(Float.float16ToFloat(Float.floatToFloat16(values[i])));
        }
        assertThat(read.get("bf16").storage().getDouble(2)).isEqualTo(-2.5);
        assertThat(read.get("bf16").storage().dtype()).isEqualTo(DType.BF16);
        assertThat(read.get("i8").floats()).containsExactly(1, 2, 3, 4, 5, -6);
        assertThat(read.get("i32").longs()).containsExactly(1, 2, 3, 4, 5, -6);
        assertThat(read.get("i64").longs()).containsExactly(1, 2, 3, 4, 5, -6);
        assertThat(read.get("i32").storage().ints()).containsExactly(1, 2, 3, 4, 5, -6);
        assertThat(read.get("bool").storage().bytes()).containsExactly(1, 0, 1, 0, 1, 0);
        assertThat(read.get("scalar").shape()).isEqualTo(Shape.SCALAR);
        assertThat(read.get("scalar").floats()).containsExactly(42);
        assertThat(read.get("empty").floats()).isEmpty();
        for (var entry : read.entries()) {
            assertThat(entry.data().address() % entry.dtype().bytes()).as(entry.name()).isZero();
        }
    }

    @Test
    void writesTheSameBytesForTheSameTensors() throws IOException {
        Path a = folder.resolve("a");
        Path b = folder.resolve("b");
        float[] x = {1, 2};
        new SafeTensorsWriter().add("x", Shape.of(2), x).add("y", Shape.of(1, 2), x).write(a);
        new SafeTensorsWriter().add("y", Shape.of(1, 2), x).add("x", Shape.of(2), x).write(b);
        assertThat(Files.readAllBytes(a)).isEqualTo(Files.readAllBytes(b));
        long header =
                ByteBuffer.wrap(Files.readAllBytes(a)).order(ByteOrder.LITTLE_ENDIAN).getLong();
        assertThat(header % 8).isZero();
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "BF16", "F16", "F64"})
    void movesTensorsLargerThanAnyBuffer(DType dtype) {
        int n = 700_001;
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = i % 256 - 128;
        }
        Path file = folder.resolve("large");
        new SafeTensorsWriter()
                .add("a", DType.I8, Shape.of(3), MemorySegment.ofArray(new byte[3]))
                .add(
                        "x",
                        dtype,
                        Shape.of(n),
                        out -> {
                            out.floats(values, 0, 5);
                            out.floats(values, 5, n - 5);
                        })
                .write(file);
        var entry = SafeTensors.open(file).get("x");
        assertThat(entry.floats()).isEqualTo(values);
        float[] shifted = new float[n + 7];
        entry.copyTo(shifted, 7);
        assertThat(shifted[7 + n - 1]).isEqualTo(values[n - 1]);

        Path copy = folder.resolve("copy");
        new SafeTensorsWriter().add("x", dtype, Shape.of(n), entry.data()).write(copy);
        assertThat(SafeTensors.open(copy).get("x").floats()).isEqualTo(values);
    }

    @Test
    void replacesTheFileThatItReads() {
        Path file = folder.resolve("model.safetensors");
        new SafeTensorsWriter().add("x", Shape.of(2), new float[] {1, 2}).write(file);
        var old = SafeTensors.open(file).get("x");
        new SafeTensorsWriter().add("x", DType.F32, Shape.of(2), old.data()).write(file);
        new SafeTensorsWriter().add("x", Shape.of(2), new float[] {3, 4}).write(file);
        assertThat(old.floats()).containsExactly(1, 2);
        assertThat(SafeTensors.open(folder).get("x").floats()).containsExactly(3, 4);
    }

    @Test
    void leavesTheOldFileWhenASourceFails() throws IOException {
        Path file = folder.resolve("model.safetensors");
        new SafeTensorsWriter().add("x", Shape.of(2), new float[] {1, 2}).write(file);
        assertThatThrownBy(() ->
                        new SafeTensorsWriter()
                                .add(
                                        "x",
                                        DType.F32,
                                        Shape.of(2),
                                        out -> {
                                            throw new IOException("No space left on device");
                                        })
                                .write(file))
                .isInstanceOf(PanagradException.class)
                .hasMessage(file + ": cannot be written; No space left on device");
        assertThatThrownBy(() ->
                        new SafeTensorsWriter()
                                .add("x", Shape.of(3), new float[] {1, 2})
                                .write(file))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "safetensors: tensor \"x\" got fewer elements than it has;"
                                + " got 2 elements; expected 3 for f32[3]");
        assertThatThrownBy(() ->
                        new SafeTensorsWriter()
                                .add("x", Shape.of(1), new float[] {1, 2})
                                .write(file))
                .hasMessageContaining("got more elements than it has");
        assertThat(SafeTensors.open(file).get("x").floats()).containsExactly(1, 2);
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void refusesWrongUseOfTheWriter() {
        var writer = new SafeTensorsWriter().add("x", Shape.of(1), new float[] {1});
        assertThatThrownBy(() -> writer.add("x", Shape.of(1), new float[] {1}))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("two tensors of the same name");
        assertThatThrownBy(() -> writer.add("__metadata__", Shape.of(1), new float[] {1}))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("reserved name");
        assertThatThrownBy(() ->
                        new SafeTensorsWriter()
                                .add(
                                        "i",
                                        DType.I32,
                                        Shape.of(1),
                                        out -> out.floats(new float[1], 0, 1))
                                .write(folder.resolve("f")))
                .isInstanceOf(PanagradException.class)
                .hasMessage("safetensors: tensor \"i\" does not take floats; got i32");
    }

    @Test
    void namesWhatIsMissingAndWhatIsSimilar() {
        Path file = folder.resolve("m.safetensors");
        new SafeTensorsWriter().add("a.norm.weight", Shape.of(2), new float[2]).write(file);
        var read = SafeTensors.open(file);
        assertThatThrownBy(() -> read.get("model.a.norm.weight"))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        file
                                + ": no tensor \"model.a.norm.weight\"; got 1 tensors;"
                                + " did you mean a.norm.weight?");
        assertThatThrownBy(() -> read.get("a.norm.weight", Shape.of(3)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("shape that the model contradicts; got [2]; expected [3]");
        assertThat(read.find("b")).isNull();
        assertThatThrownBy(() -> read.get("a.norm.weight").longs())
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("cannot be read as whole numbers; got f32");
    }

    @Test
    void refusesFilesThatAreTooShort() {
        assertThatThrownBy(() -> parse(new byte[0]))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "m.safetensors: too short for a safetensors file; got 0 bytes;"
                                + " expected at least 8; is the download complete?");
        assertThatThrownBy(() -> parse(new byte[7])).hasMessageContaining("got 7 bytes");
        assertThatThrownBy(() -> parse(new byte[8])).hasMessageContaining("not a JSON object");
    }

    @ParameterizedTest
    @CsvSource({
        "-1, header too long; got 18446744073709551615 bytes",
        "100000001, header too long; got 100000001 bytes",
        "9223372036854775807, header too long",
        "100000000, header runs beyond the end of the file; got 100000000 bytes of header",
        "3, header runs beyond the end of the file; got 3 bytes of header in a file of 10 bytes",
    })
    void refusesHeaderLengthsBeyondLimitOrFile(long length, String message) {
        byte[] bytes =
                ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
        assertThatThrownBy(() -> parse(bytes))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[] | header is not a JSON object",
                "' {}' | header is not a JSON object",
                "{x} | header: not valid JSON at line 1, column 2",
                "{} {} | text after the header's JSON object",
                "{\"a\":1} | tensor \"a\" is not described by an object",
                "{\"a\":{}} | tensor \"a\" has no dtype",
                "{\"__metadata__\":{\"a\":1}} | tensor \"__metadata__\" has a value that is no"
                        + " text",
                "{\"__metadata__\":[]} | tensor \"__metadata__\" is not described by an object",
            })
    void refusesHeadersThatDescribeNoTensors(String header, String message) {
        assertThatThrownBy(() -> parse(file(header, 0)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "U8   | [8]   | [0,8] | has a dtype that is unknown here; got \"U8\"; expected F64,"
                        + " F32",
                "f32  | [2]   | [0,8] | has a dtype that is unknown here",
                "F32  | [3]   | [0,8] | size that its shape contradicts; got 8 bytes; expected 3 ×"
                        + " 4",
                "F32  | []    | [0,8] | size that its shape contradicts",
                "F32  | [-2]  | [0,8] | wrong number in its shape; got \"-2\"",
                "F32  | [2.0] | [0,8] | wrong number in its shape; got \"2.0\"",
                "F32  | [\"2\"] | [0,8] | wrong number in its shape; got \"2\"",
                "F32  | 2     | [0,8] | shape that is no list",
                "F32  | [2147483648] | [0,8] | shape that is too large",
                "F32  | [2147483647,2147483647,2147483647] | [0,8] | shape that is too large",
                "F32  | [99999999999999999999] | [0,8] | wrong number in its shape",
                "F32  | [2147483647,2147483647] | [0,8] | size that its shape contradicts",
                "F32  | [2]   | [8,0] | data_offsets that are no range; got [8, 0]",
                "F32  | [2]   | [0]   | data_offsets that are no range",
                "F32  | [2]   | [0,8,8] | data_offsets that is too long",
                "F32  | [2]   | [-8,0] | wrong number in its data_offsets",
                "F32  | [3]   | [0,12] | lies beyond the end of the file; got data up to byte 12",
                "F32  | [1]   | [0,9223372036854775807] | lies beyond the end of the file",
                "F32  | [1]   | [4,8] | leaves a gap before it; got begin 4; expected 0",
            })
    void refusesTensorsThatContradictThemselvesOrTheFile(
            String dtype, String shape, String offsets, String message) {
        byte[] bytes = file("{\"a\":" + tensor(dtype, shape, offsets) + "}", 8);
        assertThatThrownBy(() -> parse(bytes))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith("m.safetensors: tensor \"a\" ")
                .hasMessageContaining(message);
    }

    @Test
    void refusesOverlapsGapsTrailingBytesAndDuplicates() {
        String overlap =
                "{\"a\":"
                        + tensor("F32", "[2]", "[0,8]")
                        + ",\"b\":"
                        + tensor("F32", "[2]", "[4,12]")
                        + "}";
        assertThatThrownBy(() -> parse(file(overlap, 12)))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "m.safetensors: tensor \"b\" overlaps tensor \"a\";"
                                + " got begin 4; expected 8");
        String gap =
                "{\"a\":"
                        + tensor("F32", "[2]", "[0,8]")
                        + ",\"b\":"
                        + tensor("F32", "[1]", "[12,16]")
                        + "}";
        assertThatThrownBy(() -> parse(file(gap, 16)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("tensor \"b\" leaves a gap before it");
        String one = "{\"a\":" + tensor("F32", "[2]", "[0,8]") + "}";
        assertThatThrownBy(() -> parse(file(one, 9)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("bytes after the last tensor; got 1 bytes");
        String twice =
                "{\"a\":"
                        + tensor("F32", "[2]", "[0,8]")
                        + ",\"a\":"
                        + tensor("F32", "[2]", "[0,8]")
                        + "}";
        assertThatThrownBy(() -> parse(file(twice, 8)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("Duplicate");
        assertThat(parse(file(one + "   ", 8)).get("a").floats()).containsExactly(0, 0);
    }

    @Test
    void keepsErrorsOnOneLineWhateverTheNames() {
        String name = "x\\n\\u0007" + "y".repeat(1000);
        assertThatThrownBy(() -> parse(file("{\"" + name + "\":{}}", 0)))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith("m.safetensors: tensor \"x??yyyy")
                .hasMessageNotContaining("\n");
    }

    @Test
    void readsShardsThroughTheirIndex() throws IOException {
        writeShards();
        var read = SafeTensors.open(folder);
        assertThat(read.names()).containsExactly("a", "b", "c");
        assertThat(read.get("a").floats()).containsExactly(1);
        assertThat(read.get("c").floats()).containsExactly(3);
        assertThat(read.get("c").file()).isEqualTo(folder.resolve("model-2-of-2.safetensors"));
        assertThat(read.metadata()).containsEntry("format", "pt");
        assertThat(SafeTensors.open(folder.resolve(SafeTensors.INDEX)).names()).hasSize(3);
    }

    private void writeShards() throws IOException {
        new SafeTensorsWriter()
                .add("a", Shape.of(1), new float[] {1})
                .add("b", Shape.of(1), new float[] {2})
                .write(folder.resolve("model-1-of-2.safetensors"));
        new SafeTensorsWriter()
                .add("c", Shape.of(1), new float[] {3})
                .write(folder.resolve("model-2-of-2.safetensors"));
        index("model-1-of-2.safetensors", "model-2-of-2.safetensors", "c");
    }

    private void index(String first, String second, String inSecond) throws IOException {
        JsonObject.of(
                        "metadata",
                        JsonObject.of("total_size", 12),
                        "weight_map",
                        JsonObject.of("a", first, "b", first, inSecond, second))
                .write(folder.resolve(SafeTensors.INDEX));
    }

    @Test
    void refusesIndexesThatNameWhatIsNotThere() throws IOException {
        writeShards();
        index("model-1-of-2.safetensors", "model-3-of-2.safetensors", "c");
        assertThatThrownBy(() -> SafeTensors.open(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(
                        "a shard is missing; got no file \"model-3-of-2.safetensors\"");
        index("model-1-of-2.safetensors", "model-2-of-2.safetensors", "d");
        assertThatThrownBy(() -> SafeTensors.open(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("tensor \"d\" is not in the file it is said to be in");
        Files.writeString(folder.resolve(SafeTensors.INDEX), "{\"weight_map\":{\"a\":3}}");
        assertThatThrownBy(() -> SafeTensors.open(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("weight_map.a is of the wrong type");
        Files.writeString(folder.resolve(SafeTensors.INDEX), "{}");
        assertThatThrownBy(() -> SafeTensors.open(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("no field weight_map");
    }

    @ParameterizedTest
    @CsvSource({
        "../secret.safetensors",
        "/etc/passwd",
        "sub/x.safetensors",
        "..\\x",
        "C:x",
        ".",
        "..",
        "''",
        "'a\u0000b'"
    })
    void refusesShardsOutsideTheFolder(String shard) throws IOException {
        writeShards();
        index("model-1-of-2.safetensors", shard, "c");
        assertThatThrownBy(() -> SafeTensors.open(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("tensor \"c\" lies outside the index's folder");
    }

    @Test
    void saysWhatAFolderOrFileLacks() {
        assertThatThrownBy(() -> SafeTensors.open(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("no weights in this folder; expected model.safetensors or");
        Path none = folder.resolve("none.safetensors");
        assertThatThrownBy(() -> SafeTensors.open(none))
                .isInstanceOf(PanagradException.class)
                .hasMessage(none + ": no such file");
    }

    @Test
    void readsTheModelsOfTheAssets() {
        var llama = SafeTensors.open(Assets.require("models/stories260k"));
        assertThat(llama.get("model.embed_tokens.weight").shape()).isEqualTo(Shape.of(512, 64));
        double sum = 0;
        for (float v : llama.get("model.norm.weight", Shape.of(64)).floats()) {
            sum += v;
        }
        assertThat(sum).isFinite().isNotZero();

        var bert = SafeTensors.open(Assets.require("models/all-minilm-l6-v2"));
        assertThat(bert.get("embeddings.position_ids").longs()).hasSize(512).startsWith(0, 1, 2);
        var words = bert.get("embeddings.word_embeddings.weight");
        assertThat(words.dtype()).isEqualTo(DType.F16);
        float[] values = words.floats();
        var storage = words.storage();
        for (int i = 0; i < values.length; i += 9973) {
            assertThat((double) values[i]).isEqualTo(storage.getDouble(i));
        }
    }
}
