package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Taps;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.layers.Embedding;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Prefix tuning of an encoder.
class EncoderPrefixTest {
    private static final int HEADS = 4;
    private static final int WIDTH = 4;

    private static BertModel model() {
        return BertModel.create(
                ModelConfig.of(
                        JsonObject.of(
                                "model_type",
                                "bert",
                                "vocab_size",
                                TinyModel.VOCABULARY,
                                "hidden_size",
                                HEADS * WIDTH,
                                "intermediate_size",
                                24,
                                "num_hidden_layers",
                                2,
                                "num_attention_heads",
                                HEADS,
                                "max_position_embeddings",
                                12,
                                "type_vocab_size",
                                2,
                                "initializer_range",
                                0.3)),
                3);
    }

    private static final int[] LONG = {1, 2, 3, 4, 5};
    private static final int[] SHORT = {6, 7, 8};

    private static BertInput input(int[]... rows) {
        return BertInput.of(List.of(rows), 0);
    }

    private static double[] hidden(BertModel model, BertInput input) {
        return Ops.noGrad(() -> model.hidden(input).toDoubles());
    }

    /// Attention over prefix and tokens, padding left out, written out head by head.
    @Test
    void everyTokenSeesThePrefix() {
        BertModel model = model();
        Adapter adapter = PrefixTuning.tokens(2).seed(1).attach(model);
        Parameter prefix = adapter.parameters().get("adapter.prompt_embeddings");
        prefix.assign(prefix.mul(50).detach());
        BertInput input = input(LONG, SHORT);
        for (int layer = 0; layer < 2; layer++) {
            String path = "encoder.layer." + layer + ".attention.self";
            try (var seen = Taps.capture(model, path + "|" + path + ".*")) {
                hidden(model, input);
                Tensor q = seen.get(path + ".query");
                Tensor k = seen.get(path + ".key");
                Tensor v = seen.get(path + ".value");
                Tensor y = seen.get(path);
                int first = 2 * layer * HEADS * WIDTH;
                for (int row = 0; row < 2; row++) {
                    int own = row == 0 ? LONG.length : SHORT.length;
                    for (int t = 0; t < own; t++) {
                        for (int h = 0; h < HEADS; h++) {
                            double mass = 0;
                            double[] sum = new double[WIDTH];
                            for (int j = 0; j < own + 2; j++) {
                                double dot = 0;
                                for (int d = 0; d < WIDTH; d++) {
                                    int at = h * WIDTH + d;
                                    double key =
                                            j < 2 ? prefix.at(j, first + at) : k.at(row, j - 2, at);
                                    dot += q.at(row, t, at) * key;
                                }
                                double weight = Math.exp(dot / Math.sqrt(WIDTH));
                                mass += weight;
                                for (int d = 0; d < WIDTH; d++) {
                                    int at = h * WIDTH + d;
                                    sum[d] +=
                                            weight
                                                    * (j < 2
                                                            ? prefix.at(
                                                                    j, first + HEADS * WIDTH + at)
                                                            : v.at(row, j - 2, at));
                                }
                            }
                            for (int d = 0; d < WIDTH; d++) {
                                assertThat(y.at(row, t, h * WIDTH + d))
                                        .isCloseTo(sum[d] / mass, within(1e-5));
                            }
                        }
                    }
                }
            }
        }
    }

    @Test
    void tokensStandBehindThePrefix() {
        BertModel model = model();
        float[] table =
                ((Embedding) model.module("embeddings.position_embeddings")).weight().toFloats();
        Adapter adapter = PrefixTuning.tokens(3).attach(model);
        assertThat(adapter.targets())
                .containsExactlyInAnyOrder(
                        "embeddings.position_embeddings",
                        "encoder.layer.0.attention.self",
                        "encoder.layer.1.attention.self");
        try (var places = Taps.capture(model, "embeddings.position_embeddings")) {
            hidden(model, input(LONG));
            float[] used = places.get("embeddings.position_embeddings").toFloats();
            int width = HEADS * WIDTH;
            assertThat(used).isEqualTo(Arrays.copyOfRange(table, 3 * width, 8 * width));
        }
        int[] all = new int[12];
        assertThatThrownBy(() -> hidden(model, input(all))).hasMessageContaining("12");
    }

    @Test
    void paddingChangesNothing() {
        BertModel model = model();
        PrefixTuning.tokens(2).seed(4).attach(model);
        double[] alone = hidden(model, input(SHORT));
        double[] padded = hidden(model, input(LONG, SHORT));
        int from = LONG.length * HEADS * WIDTH;
        assertThat(Arrays.copyOfRange(padded, from, from + alone.length))
                .containsExactly(alone, within(1e-5));
    }

    @Test
    void savesLoadsAndComesOff(@TempDir Path folder) {
        BertModel model = model();
        BertInput input = input(LONG, SHORT);
        double[] base = hidden(model, input);
        Adapter adapter = PrefixTuning.tokens(2).projection(5).seed(2).attach(model);
        double[] with = hidden(model, input);
        assertThat(with).isNotEqualTo(base);
        Grads grads = model.hidden(input).square().sum().backward();
        adapter.parameters()
                .forEach((name, p) ->
                        assertThat(grads.get(p).abs().sum().item()).as(name).isPositive());
        adapter.save(folder);
        BertModel fresh = model();
        Adapter.load(fresh, folder);
        assertThat(hidden(fresh, input)).isEqualTo(with);
        adapter.detach();
        assertThat(hidden(model, input)).isEqualTo(base);
    }
}
