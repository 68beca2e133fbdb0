package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.SafeTensors;
import io.github.panagrad.nn.io.TensorFiles;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// A delta's folder: `delta_config.json` says of each parameter in which form its change is kept and
/// which shape it has, `delta.safetensors` has the numbers.
///
/// | form | tensors |
/// |---|---|
/// | `dense` | `<path>` |
/// | `low_rank` | `<path>.left` (out, r), `<path>.right` (r, in) |
/// | `sparse` | `<path>.idx` I32 or I64 (k), row-major numbers, ascending, and `<path>.val` (k) |
final class DeltaFiles {
    private static final String CONFIG = "delta_config.json";
    private static final String WEIGHTS = "delta.safetensors";
    private static final String FORMAT = "panagrad_delta";

    private DeltaFiles() {}

    static void save(Delta delta, Path folder) {
        var tensors = new TreeMap<String, Tensor>();
        var forms = new LinkedHashMap<String, JsonObject>();
        delta.changes()
                .forEach((path, change) -> {
                    forms.put(path, form(change));
                    parts(path, change)
                            .forEach((name, tensor) -> {
                                if (tensors.put(name, tensor) != null) {
                                    throw new PanagradException(
                                            "save delta to " + folder,
                                            "two tensors of one name",
                                            name,
                                            "parameters whose paths do not end like parts",
                                            "");
                                }
                            });
                });
        TensorFiles.write(folder.resolve(WEIGHTS), tensors, Map.of());
        JsonObject.of("format", FORMAT, "version", 1, "parameters", forms)
                .write(folder.resolve(CONFIG));
    }

    private static JsonObject form(TensorDelta change) {
        String form =
                switch (change) {
                    case DenseDelta _ -> "dense";
                    case LowRankDelta _ -> "low_rank";
                    case SparseDelta _ -> "sparse";
                };
        return JsonObject.of("form", form, "shape", change.shape().toArray());
    }

    private static Map<String, Tensor> parts(String path, TensorDelta change) {
        return switch (change) {
            case DenseDelta d -> Map.of(path, d.dense());
            case LowRankDelta d -> Map.of(path + ".left", d.left(), path + ".right", d.right());
            case SparseDelta d -> {
                int k = (int) d.stored();
                yield Map.of(
                        path + ".idx",
                        Ops.indices(d.entries(), k),
                        path + ".val",
                        Ops.tensor(d.values(), k));
            }
        };
    }

    static Delta load(Path folder) {
        JsonObject config = JsonObject.read(folder.resolve(CONFIG));
        if (!config.string("format").equals(FORMAT) || config.integer("version") != 1) {
            throw config.error("format", "is not known", FORMAT + " of version 1", "");
        }
        SafeTensors file = SafeTensors.open(folder.resolve(WEIGHTS));
        JsonObject forms = config.object("parameters");
        var strangers = new TreeSet<>(file.names());
        var changes = new LinkedHashMap<String, TensorDelta>();
        for (String path : forms.names()) {
            try {
                TensorDelta change = read(forms.object(path), path, file);
                strangers.removeAll(parts(path, change).keySet());
                changes.put(path, change);
            } catch (PanagradException | ArithmeticException e) {
                throw new PanagradException(
                        "delta " + folder + " at " + path + ": " + e.getMessage(), e);
            }
        }
        if (!strangers.isEmpty()) {
            throw new PanagradException(
                    file.path().toString(),
                    "a tensor that belongs to no change",
                    strangers.first(),
                    "those that " + CONFIG + " speaks of",
                    "do the two files belong together?");
        }
        return Delta.of(changes);
    }

    private static TensorDelta read(JsonObject form, String path, SafeTensors file) {
        Shape shape = Shape.of(form.ints("shape"));
        return switch (form.string("form")) {
            case "dense" -> DenseDelta.of(TensorFiles.tensor(floating(file.get(path, shape))));
            case "low_rank" -> lowRank(shape, path, file);
            case "sparse" -> sparse(shape, path, file);
            default -> throw form.error("form", "is not known", "dense, low_rank or sparse", "");
        };
    }

    private static TensorDelta lowRank(Shape shape, String path, SafeTensors file) {
        var left = floating(file.get(path + ".left"));
        var right = floating(file.get(path + ".right"));
        var delta = LowRankDelta.of(TensorFiles.tensor(left), TensorFiles.tensor(right));
        if (!delta.shape().equals(shape)) {
            throw new PanagradException(
                    "low-rank delta",
                    "the product of the factors has another shape",
                    delta.shape().toString(),
                    shape.toString(),
                    "");
        }
        return delta;
    }

    private static TensorDelta sparse(Shape shape, String path, SafeTensors file) {
        long[] places = file.get(path + ".idx").longs();
        float[] values = floating(file.get(path + ".val")).floats();
        int[] entries = new int[places.length];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = (int) places[i];
            if (entries[i] != places[i]) {
                throw new PanagradException(
                        "sparse delta",
                        "an index is out of range",
                        "" + places[i],
                        "0 to " + (shape.size() - 1),
                        "");
            }
        }
        return SparseDelta.of(shape, entries, values);
    }

    private static SafeTensors.Entry floating(SafeTensors.Entry entry) {
        if (!entry.dtype().isFloating() || entry.dtype() == DType.F64) {
            throw new PanagradException(
                    "tensor " + entry.name(),
                    "not a change of weights",
                    entry.dtype().label(),
                    "f32, bf16 or f16",
                    "");
        }
        return entry;
    }
}
