package io.github.panagrad.adapters.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.TensorFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Folders from elsewhere: whatever is in them, loading raises one clear error.
class DeltaFilesTest {
    @TempDir private Path folder;

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    @BeforeEach
    void sound() throws IOException {
        tensors.put("s.idx", Ops.indices(new int[] {1, 4, 5}, 3));
        tensors.put("s.val", Ops.tensor(1, 2, 3));
        tensors.put("l.left", Ops.ones(3, 1));
        tensors.put("l.right", Ops.ones(1, 2));
        config("sparse", "[2, 3]", "[3, 2]");
    }

    private void config(String form, String sparse, String lowRank) throws IOException {
        Files.writeString(
                folder.resolve("delta_config.json"),
                """
                {"format": "panagrad_delta", "version": 1, "parameters": {
                  "s": {"form": "%s", "shape": %s}, "l": {"form": "low_rank", "shape": %s}}}
                """
                        .formatted(form, sparse, lowRank));
    }

    private Delta load() {
        TensorFiles.write(folder.resolve("delta.safetensors"), tensors, Map.of());
        return Delta.load(folder);
    }

    private void assertRefused(String... fragments) {
        assertThatThrownBy(this::load)
                .isInstanceOf(PanagradException.class)
                .hasMessageContainingAll(fragments)
                .hasMessageNotContaining("\n");
    }

    @Test
    void readsWhatOthersWrote() {
        tensors.put("s.idx", Ops.indices(new int[] {1, 4, 5}, 3).to(DType.I64));
        TensorDelta sparse = load().changes().get("s");
        assertThat(sparse).isNotNull();
        assertThat(sparse.dense().toFloats()).containsExactly(0, 1, 0, 0, 2, 3);
    }

    @Test
    void refusesPlacesThatAreNone() {
        tensors.put("s.idx", Ops.indices(new int[] {1, 4, 6}, 3));
        assertRefused("at s", "out of range", "6", "0 to 5");
        tensors.put("s.idx", Ops.indices(new int[] {-1, 4, 5}, 3));
        assertRefused("out of range", "-1");
        tensors.put("s.idx", Ops.indices(new int[] {4, 4, 5}, 3));
        assertRefused("out of order", "4 after 4");
        tensors.put("s.idx", Ops.indices(new int[] {1, 4}, 2));
        assertRefused("do not pair up", "2 and 3");
        tensors.put("s.idx", Ops.tensor(1, 4, 5));
        assertRefused("s.idx", "f32");
        tensors.put("s.idx", Ops.indices(new int[] {1, 4, 5}, 3));
        tensors.put("s.val", Ops.indices(new int[] {1, 2, 3}, 3));
        assertRefused("s.val", "i32");
    }

    @Test
    void refusesLongPlacesBeyondAnyArray() {
        long[] beyond = {1, 4, (1L << 32) + 5};
        tensors.put("s.idx", longs(beyond));
        assertRefused("out of range", "4294967301");
    }

    private static Tensor longs(long[] values) {
        Tensor t = Ops.indices(new int[values.length], values.length).to(DType.I64);
        System.arraycopy(values, 0, t.storage().longs(), 0, values.length);
        return t;
    }

    @Test
    void refusesFactorsThatDoNotFit() {
        tensors.put("l.right", Ops.ones(2, 2));
        assertRefused("at l", "factors do not fit", "[3,1] and [2,2]");
        tensors.put("l.right", Ops.ones(1, 3));
        assertRefused("at l", "[3,3]", "[3,2]");
        tensors.remove("l.right");
        assertRefused("at l", "no tensor", "l.right");
    }

    @Test
    void refusesTensorsThatBelongToNothing() {
        tensors.put("x", Ops.ones(1));
        assertRefused("belongs to no change", "x");
    }

    @Test
    void refusesConfigsThatAreNone() throws IOException {
        config("dense", "[2, 3]", "[3, 2]");
        assertRefused("at s", "no tensor");
        config("curly", "[2, 3]", "[3, 2]");
        assertRefused("curly", "dense, low_rank or sparse");
        config("sparse", "[-2, 3]", "[3, 2]");
        assertRefused("at s", "negative extent");
        config("sparse", "[2147483647, 2147483647, 2147483647]", "[3, 2]");
        assertRefused("at s", "overflow");
        config("sparse", "\"wide\"", "[3, 2]");
        assertRefused("shape", "a list");
        Files.writeString(folder.resolve("delta_config.json"), "{\"format\": \"other\"}");
        assertRefused("format", "other", "panagrad_delta");
        Files.writeString(folder.resolve("delta_config.json"), "[1]");
        assertRefused("delta_config.json");
        Files.delete(folder.resolve("delta_config.json"));
        assertRefused("delta_config.json", "no such file");
    }
}
