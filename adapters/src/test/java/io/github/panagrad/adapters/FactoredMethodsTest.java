package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files as PEFT documents them, against products written out element by element.
class FactoredMethodsTest {
    /// 16 inputs, 24 outputs.
    private static final String TARGET = "model.layers.0.mlp.up_proj";

    /// 24 inputs, 16 outputs.
    private static final String DOWN = "model.layers.0.mlp.down_proj";

    @TempDir private Path folder;
    private final Rng rng = Rng.of(7);
    private final Map<String, Tensor> tensors = new HashMap<>();
    private final CausalLM model = TinyModel.create();

    private double[][] tensor(String name, int rows, int columns) {
        Tensor t = Ops.randn(rng, rows, columns).mul(0.5);
        tensors.put("base_model.model." + name, t);
        return rows(t);
    }

    private double[] vector(String name, int n) {
        Tensor t = Ops.randn(rng, n).mul(0.5);
        tensors.put("base_model.model." + name, t);
        return t.toDoubles();
    }

    private static double[][] rows(Tensor t) {
        double[] all = t.toDoubles();
        double[][] rows = new double[t.dim(0)][t.dim(1)];
        for (int i = 0; i < all.length; i++) {
            rows[i / t.dim(1)][i % t.dim(1)] = all[i];
        }
        return rows;
    }

    private static double[][] product(double[][] a, double[][] b) {
        double[][] c = new double[a.length][b[0].length];
        for (int i = 0; i < a.length; i++) {
            for (int p = 0; p < b.length; p++) {
                for (int j = 0; j < b[0].length; j++) {
                    c[i][j] += a[i][p] * b[p][j];
                }
            }
        }
        return c;
    }

    private Adapter load(String config) throws Exception {
        TensorFiles.write(folder.resolve("adapter_model.safetensors"), tensors, Map.of());
        Files.writeString(folder.resolve("adapter_config.json"), config);
        return Adapter.load(model, folder);
    }

    /// Checks that a layer does what a weight does.
    private void assertWeight(String path, double[][] weight) {
        Linear layer = (Linear) model.module(path);
        Tensor x = Ops.randn(rng, 3, layer.in());
        double[] actual = layer.call(x).toDoubles();
        double[][] in = rows(x);
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < layer.out(); j++) {
                double sum = 0;
                for (int p = 0; p < layer.in(); p++) {
                    sum += in[i][p] * weight[j][p];
                }
                assertThat(actual[i * layer.out() + j]).isCloseTo(sum, offset(1e-5));
            }
        }
    }

    private double[][] weight(String path) {
        return rows(((Linear) model.module(path)).weight().detach());
    }

    @Test
    void readsLoha() throws Exception {
        double[][] first =
                product(tensor(TARGET + ".hada_w1_a", 24, 2), tensor(TARGET + ".hada_w1_b", 2, 16));
        double[][] second =
                product(tensor(TARGET + ".hada_w2_a", 24, 2), tensor(TARGET + ".hada_w2_b", 2, 16));
        double[][] expected = weight(TARGET);
        for (int i = 0; i < 24; i++) {
            for (int j = 0; j < 16; j++) {
                expected[i][j] += 3 * first[i][j] * second[i][j];
            }
        }
        load(
                """
                {"peft_type": "LOHA", "r": 2, "alpha": 6, "target_modules": ["up_proj"],
                 "rank_dropout": 0.0, "module_dropout": 0.0, "rank_pattern": {},
                 "alpha_pattern": {}, "use_effective_conv2d": false}
                """);
        assertWeight(TARGET, expected);
    }

    @Test
    void readsLokr() throws Exception {
        double[][] first = tensor(TARGET + ".lokr_w1", 4, 4);
        double[][] second =
                product(tensor(TARGET + ".lokr_w2_a", 6, 1), tensor(TARGET + ".lokr_w2_b", 1, 4));
        double[][] expected = weight(TARGET);
        for (int i = 0; i < 24; i++) {
            for (int j = 0; j < 16; j++) {
                expected[i][j] += 2 * first[i / 6][j / 4] * second[i % 6][j % 4];
            }
        }
        load(
                """
                {"peft_type": "LOKR", "r": 1, "alpha": 2, "target_modules": ["up_proj"],
                 "decompose_both": false, "decompose_factor": -1, "rank_pattern": {},
                 "alpha_pattern": {}}
                """);
        assertWeight(TARGET, expected);
    }

    @Test
    void splitsExtentsAsPeftDoes() {
        assertThat(Lokr.smallerFactor(24, -1)).isEqualTo(4);
        assertThat(Lokr.smallerFactor(768, -1)).isEqualTo(24);
        assertThat(Lokr.smallerFactor(128, -1)).isEqualTo(8);
        assertThat(Lokr.smallerFactor(127, -1)).isEqualTo(1);
        assertThat(Lokr.smallerFactor(128, 2)).isEqualTo(2);
        assertThat(Lokr.smallerFactor(128, 16)).isEqualTo(8);
        assertThat(Lokr.smallerFactor(250, 4)).isEqualTo(2);
    }

    @Test
    void readsVera() throws Exception {
        Tensor a = Ops.randn(rng, 3, 24);
        Tensor b = Ops.randn(rng, 24, 3);
        tensors.put("base_model.vera_A", a);
        tensors.put("base_model.vera_B", b);
        double[] upB = vector(TARGET + ".vera_lambda_b", 24);
        double[] upD = vector(TARGET + ".vera_lambda_d", 3);
        double[] downB = vector(DOWN + ".vera_lambda_b", 16);
        double[] downD = vector(DOWN + ".vera_lambda_d", 3);
        double[][] up = weight(TARGET);
        double[][] down = weight(DOWN);
        add(up, rows(b), rows(a), upB, upD);
        add(down, rows(b), rows(a), downB, downD);
        load(
                """
                {"peft_type": "VERA", "r": 3, "target_modules": ["up_proj", "down_proj"],
                 "projection_prng_key": 0, "save_projection": true, "vera_dropout": 0.0,
                 "d_initial": 0.1, "bias": "none"}
                """);
        assertWeight(TARGET, up);
        assertWeight(DOWN, down);
    }

    private static void add(
            double[][] weight, double[][] up, double[][] down, double[] b, double[] d) {
        for (int i = 0; i < weight.length; i++) {
            for (int j = 0; j < weight[0].length; j++) {
                for (int p = 0; p < d.length; p++) {
                    weight[i][j] += b[i] * up[i][p] * d[p] * down[p][j];
                }
            }
        }
    }

    @Test
    void readsIa3() throws Exception {
        double[][] outputs = tensor(TARGET + ".ia3_l", 24, 1);
        double[][] inputs = tensor(DOWN + ".ia3_l", 1, 24);
        double[][] up = weight(TARGET);
        double[][] down = weight(DOWN);
        for (int i = 0; i < 24; i++) {
            for (int j = 0; j < 16; j++) {
                up[i][j] *= outputs[i][0];
                down[j][i] *= inputs[0][i];
            }
        }
        load(
                """
                {"peft_type": "IA3", "target_modules": ["up_proj", "down_proj"],
                 "feedforward_modules": ["down_proj"], "fan_in_fan_out": false}
                """);
        assertWeight(TARGET, up);
        assertWeight(DOWN, down);
    }

    @Test
    void readsOft() throws Exception {
        int b = 4;
        double[][] entries = tensor(TARGET + ".oft_R.weight", 4, 6);
        double[][] expected = weight(TARGET);
        double[][] before = weight(TARGET);
        for (int block = 0; block < 4; block++) {
            double[][] q = new double[b][b];
            for (int i = 0, next = 0; i < b; i++) {
                for (int j = i + 1; j < b; j++, next++) {
                    q[i][j] = entries[block][next];
                    q[j][i] = -entries[block][next];
                }
            }
            double[][] two = product(q, q);
            double[][] three = product(two, q);
            double[][] four = product(three, q);
            for (int row = 0; row < 24; row++) {
                for (int i = 0; i < b; i++) {
                    double sum = 0;
                    for (int j = 0; j < b; j++) {
                        double r =
                                (i == j ? 1 : 0)
                                        + 2 * (q[i][j] + two[i][j] + three[i][j])
                                        + four[i][j];
                        sum += before[row][block * b + j] * r;
                    }
                    expected[row][block * b + i] = sum;
                }
            }
        }
        load(
                """
                {"peft_type": "OFT", "r": 0, "oft_block_size": 4, "target_modules": ["up_proj"],
                 "coft": false, "eps": 6e-05, "block_share": false, "bias": "none",
                 "use_cayley_neumann": true, "num_cayley_neumann_terms": 5}
                """);
        assertWeight(TARGET, expected);
    }

    @Test
    void turnsWithoutStretching() {
        Tensor skew = skew(0.7);
        Tensor r = Cayley.exact(skew);
        double[] square = r.matmul(r.transpose(1, 2)).toDoubles();
        for (int i = 0; i < square.length; i++) {
            assertThat(square[i]).isCloseTo(i % 9 % 4 == 0 ? 1 : 0, offset(1e-12));
        }
        // The series is the transform of −Q, and near it where Q is small.
        Tensor small = skew(0.02);
        double[] series = Cayley.series(small, 5).toDoubles();
        double[] exact = Cayley.exact(small.neg()).toDoubles();
        for (int i = 0; i < series.length; i++) {
            assertThat(series[i]).isCloseTo(exact[i], offset(1e-4));
        }
    }

    private static Tensor skew(double size) {
        Tensor m = Ops.randn(Rng.of(3), 2, 3, 3).to(DType.F64).mul(size);
        return m.sub(m.transpose(1, 2));
    }

    @Test
    void differentiatesTheInverse() {
        assertThat(GradCheck.maxError(Cayley::exact, skew(0.4))).isLessThan(1e-6);
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> Oft.blocks(5).attach(model, TARGET))
                .hasMessageContaining("divisor of 16");
        assertThatThrownBy(() -> Loha.rank(0)).hasMessageContaining("rank >= 1");
        assertThatThrownBy(() -> Lokr.rank(1).factor(0)).hasMessageContaining("factor");
        assertThatThrownBy(() ->
                        load(
                                """
                                {"peft_type": "VERA", "r": 3, "save_projection": false}
                                """))
                .hasMessageContaining("save_projection");
        for (String abba :
                new String[] {
                    "\"init_weights\": \"abba\"", "\"use_khatri_rao\": true", "\"r2\": 3"
                }) {
            assertThatThrownBy(() -> load("{\"peft_type\": \"LOHA\", \"r\": 2, " + abba + "}"))
                    .hasMessageContaining("ABBA");
        }
        assertThatThrownBy(() -> Oft.blocks(4).bound(-1)).hasMessageContaining("bound -1.0");
        assertThatThrownBy(() -> Loha.rank(2).dropout(0, 1)).hasMessageContaining("module 1.0");
    }
}
