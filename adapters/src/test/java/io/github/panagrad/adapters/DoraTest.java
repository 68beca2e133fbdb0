package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Linear;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// DoRA's gradients, in F64, and its files.
class DoraTest {
    private static final int IN = 5;
    private static final int OUT = 4;
    private static final int ROWS = 3;
    private static final double SCALE = 3;

    /// A model of one linear layer with bias.
    private static final class One extends Module {
        private final Linear layer = register("proj", new Linear(IN, OUT, Rng.of(1)));

        One() {
            layer.to(DType.F64);
            layer.bias().assign(Ops.randn(Rng.of(8), OUT));
        }
    }

    private static Tensor normal(long seed, int... dims) {
        return Ops.randn(Rng.of(seed), dims).to(DType.F64);
    }

    @Test
    void holdsTheLengthsConstantInBackward() {
        var one = new One();
        Adapter adapter = Lora.rank(2).alpha(2 * SCALE).dora(true).attach(one, "proj");
        var parameters = adapter.parameters();
        var a = parameters.get("proj.adapter.lora_A.weight");
        var b = parameters.get("proj.adapter.lora_B.weight");
        var m = parameters.get("proj.adapter.lora_magnitude_vector");
        assertThat(b.dtype()).isEqualTo(DType.F64);
        b.assign(normal(2, OUT, 2));
        m.assign(normal(3, OUT).abs().add(0.5));
        Tensor x = normal(4, ROWS, IN);
        Tensor dy = normal(5, ROWS, OUT);
        Tensor y = one.layer.call(x);
        Grads grads = y.mul(dy).sum().backward();

        double[] w = one.layer.weight().toDoubles();
        double[] bias = one.layer.bias().toDoubles();
        for (int o = 0; o < OUT; o++) {
            double[] direction = new double[IN];
            double squares = 0;
            for (int i = 0; i < IN; i++) {
                direction[i] = w[o * IN + i];
                for (int k = 0; k < 2; k++) {
                    direction[i] += SCALE * b.at(o, k) * a.at(k, i);
                }
                squares += direction[i] * direction[i];
            }
            double length = Math.sqrt(squares);
            double dm = 0;
            double[] db = new double[2];
            for (int t = 0; t < ROWS; t++) {
                double z = 0;
                for (int i = 0; i < IN; i++) {
                    z += direction[i] * x.at(t, i);
                }
                assertThat(y.at(t, o)).isCloseTo(m.at(o) / length * z + bias[o], offset(1e-9));
                dm += dy.at(t, o) * z / length;
                for (int k = 0; k < 2; k++) {
                    double ax = 0;
                    for (int i = 0; i < IN; i++) {
                        ax += a.at(k, i) * x.at(t, i);
                    }
                    db[k] += dy.at(t, o) * m.at(o) / length * SCALE * ax;
                }
            }
            assertThat(grads.get(m).at(o)).isCloseTo(dm, offset(1e-9));
            assertThat(grads.get(b).at(o, 0)).isCloseTo(db[0], offset(1e-9));
            assertThat(grads.get(b).at(o, 1)).isCloseTo(db[1], offset(1e-9));
        }
    }

    @Test
    void readsBothNamesOfTheMagnitude(@TempDir Path folder) {
        var one = new One();
        Lora.rank(2).dora(true).attach(one, "proj").save(folder);
        double[] before = one.layer.call(normal(4, ROWS, IN)).toDoubles();
        Path file = folder.resolve("adapter_model.safetensors");
        Map<String, Tensor> renamed = new LinkedHashMap<>();
        TensorFiles.read(file)
                .forEach((name, t) ->
                        renamed.put(name.endsWith("_vector") ? name + ".weight" : name, t.copy()));
        assertThat(renamed).containsKey("base_model.model.proj.lora_magnitude_vector.weight");
        TensorFiles.write(file, renamed, Map.of());
        var fresh = new One();
        Adapter.load(fresh, folder);
        assertThat(fresh.layer.call(normal(4, ROWS, IN)).toDoubles()).isEqualTo(before);
    }
}
