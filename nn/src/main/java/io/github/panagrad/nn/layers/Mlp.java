package io.github.panagrad.nn.layers;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.ModuleList;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Linear maps with a ReLU between each two: a projector, a small network.
///
/// Shapes: (…, first width) → (…, last width).
public final class Mlp extends Layer {
    private final ModuleList<Linear> maps;

    /// Creates linear maps with biases and Kaiming's uniform weights, ±1/√in.
    ///
    /// @param widths of the input, of what lies between, and of the output
    /// @throws PanagradException if there are fewer than two
    public Mlp(Rng rng, int... widths) {
        if (widths.length < 2) {
            throw new PanagradException(
                    "mlp", "too few widths", Arrays.toString(widths), "at least two", "");
        }
        maps =
                register(
                        "maps",
                        new ModuleList<>(
                                IntStream.range(1, widths.length)
                                        .mapToObj(i -> new Linear(widths[i - 1], widths[i], rng))
                                        .toList()));
    }

    @Override
    protected Tensor forward(Tensor x, Context context) {
        Tensor y = maps.get(0).call(x, context);
        for (int i = 1; i < maps.size(); i++) {
            y = maps.get(i).call(y.relu(), context);
        }
        return y;
    }

    @Override
    protected String describe() {
        return "Mlp("
                + maps.get(0).in()
                + IntStream.range(0, maps.size())
                        .mapToObj(i -> " → " + maps.get(i).out())
                        .collect(Collectors.joining())
                + ")";
    }
}
