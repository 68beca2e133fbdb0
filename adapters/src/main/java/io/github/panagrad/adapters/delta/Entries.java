package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The entries of several changes side by side, one array a change and parameter.
final class Entries {
    private Entries() {}

    /// Returns Σ|τ| over all entries.
    static double sumOfMagnitudes(Delta delta) {
        double sum = 0;
        for (TensorDelta change : delta.changes().values()) {
            for (float v : change.dense().toFloats()) {
                sum += Math.abs(v);
            }
        }
        return sum;
    }

    /// Returns all parameters that any of the changes has, with their shapes.
    ///
    /// @throws PanagradException if two have one of different shapes
    static Map<String, Shape> shapes(List<Delta> deltas) {
        var shapes = new LinkedHashMap<String, Shape>();
        for (Delta delta : deltas) {
            delta.changes()
                    .forEach((path, change) -> {
                        Shape other = shapes.putIfAbsent(path, change.shape());
                        if (other != null && !other.equals(change.shape())) {
                            throw new PanagradException(
                                    "merge",
                                    "shapes differ at " + path,
                                    change.shape().toString(),
                                    other.toString(),
                                    "are they of the same model?");
                        }
                    });
        }
        return shapes;
    }

    /// Returns the entries of one parameter's changes, zeros where there is none.
    static List<float[]> of(List<Delta> deltas, String path, Shape shape) {
        var all = new ArrayList<float[]>();
        for (Delta delta : deltas) {
            TensorDelta change = delta.changes().get(path);
            all.add(change == null ? new float[shape.intSize()] : change.dense().toFloats());
        }
        return all;
    }

    /// Finds the bits of the least magnitude that is kept when only the `count` largest are: the bits
    /// of floats that are not negative have the order of the floats.
    static int threshold(Delta delta, long count) {
        var all = new ArrayList<float[]>();
        delta.changes().values().forEach(c -> all.add(c.dense().toFloats()));
        int low = 0;
        int high = Float.floatToIntBits(Float.POSITIVE_INFINITY);
        while (low < high) {
            int middle = low + (high - low + 1) / 2;
            long reached = 0;
            for (float[] values : all) {
                for (float v : values) {
                    reached += magnitude(v) >= middle ? 1 : 0;
                }
            }
            if (reached >= count) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    /// Returns the bits of a number's magnitude, which have the order of magnitudes.
    static int magnitude(float value) {
        return Float.floatToIntBits(Math.abs(value));
    }
}
