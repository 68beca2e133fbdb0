package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;

/// Reads the fields that configs of all families have, with the checks that they share.
record ConfigFields(JsonObject json) {
    /// More of anything than a model has, so that products of two sizes stay within a long.
    private static final int MOST = 1 << 28;

    /// Far more layers than any model has; some values are kept for each of them.
    private static final int MOST_LAYERS = 1 << 14;

    int positive(String name) {
        return between(name, MOST);
    }

    int layers() {
        return between("num_hidden_layers", MOST_LAYERS);
    }

    private int between(String name, int most) {
        int value = json.integer(name);
        if (value < 1 || value > most) {
            throw json.error(name, "is out of range", "1 to " + most, "");
        }
        return value;
    }

    int positive(String name, int fallback) {
        return json.has(name) ? positive(name) : fallback;
    }

    double positive(String name, double fallback) {
        double value = json.number(name, fallback);
        if (!(value > 0)) {
            throw json.error(name, "is not positive", "a number above 0", "");
        }
        return value;
    }

    /// Reads a probability of dropping something.
    double dropout(String name, double fallback) {
        double value = json.number(name, fallback);
        if (!(value >= 0 && value < 1)) {
            throw json.error(name, "is not a dropout rate", "0 or more and below 1", "");
        }
        return value;
    }

    /// Reads an activation function by its name in model files.
    Activation activation(String name, String fallback) {
        String text = json.string(name, fallback);
        Activation activation = Activation.NAMES.get(text);
        if (activation == null) {
            throw json.error(
                    name,
                    "is not supported",
                    "one of " + String.join(", ", Activation.NAMES.keySet()),
                    "");
        }
        return activation;
    }

    /// Reads token ids: one number, a list of them, or nothing. Negative ones stand for none.
    List<Integer> ids(String name) {
        if (!json.has(name)) {
            return List.of();
        }
        int[] all =
                json.get(name) instanceof List<?>
                        ? json.ints(name)
                        : new int[] {json.integer(name)};
        var ids = new ArrayList<Integer>();
        for (int id : all) {
            if (id >= 0) {
                ids.add(id);
            }
        }
        return Collections.unmodifiableList(ids);
    }

    OptionalInt id(String name) {
        var ids = ids(name);
        return ids.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ids.getFirst());
    }

    /// Reads the labels of `id2label`, whose keys are the numbers from 0 as text.
    List<String> labels() {
        if (!json.has("id2label")) {
            return List.of();
        }
        JsonObject names = json.object("id2label");
        var labels = new ArrayList<String>();
        for (int i = 0; i < names.names().size(); i++) {
            if (!names.has(Integer.toString(i))) {
                throw json.error("id2label", "has no label " + i, "the numbers from 0 as keys", "");
            }
            labels.add(names.string(Integer.toString(i)));
        }
        return Collections.unmodifiableList(labels);
    }

    /// Refuses a field that has any value but the one whose behaviour is built.
    void require(String name, Object supported) {
        Object value = json.get(name);
        boolean same =
                value == null
                        || value.equals(supported)
                        || (value instanceof Number a
                                && supported instanceof Number b
                                && a.doubleValue() == b.doubleValue());
        if (!same) {
            throw json.error(name, "is not supported", supported.toString(), "");
        }
    }

    void requireUnquantised() {
        if (json.has("quantization_config")) {
            throw json.error(
                    "quantization_config",
                    "is not supported",
                    "weights in F32, F16 or BF16",
                    "use the model that this one was quantised from");
        }
    }

    PanagradException indivisible(String name, int whole, String part, int by) {
        return new PanagradException(
                json.where(),
                name + " is not a multiple of " + part,
                name + " " + whole + " and " + part + " " + by,
                "",
                "");
    }
}
