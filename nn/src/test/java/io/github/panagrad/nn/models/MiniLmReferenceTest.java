package io.github.panagrad.nn.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.io.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MiniLmReferenceTest {
    @Test
    void embeddingsAreThoseOfTheReference() {
        var embedder = SentenceEmbedder.load(Assets.require("models/all-minilm-l6-v2"));
        var values = JsonObject.read(Assets.require("reference/all-MiniLM-L6-v2_reference.json"));
        var texts = new ArrayList<String>();
        var expected = new ArrayList<double[]>();
        for (Object item : values.list("cases")) {
            var fields = (Map<?, ?>) item;
            String text = (String) fields.get("text");
            assertThat(embedder.tokenizer().encode(text)).isEqualTo(ints(fields.get("ids")));
            texts.add(text);
            expected.add(doubles(fields.get("embedding")));
        }
        // All at once: rows of different lengths, filled up, must not change each other.
        float[] all = embedder.embed(texts).toFloats();
        int width = expected.getFirst().length;
        for (int i = 0; i < expected.size(); i++) {
            for (int c = 0; c < width; c++) {
                assertThat((double) all[i * width + c])
                        .as(texts.get(i) + " [" + c + "]")
                        .isCloseTo(expected.get(i)[c], within(2e-3));
            }
        }
    }

    private static int[] ints(Object list) {
        return ((List<?>) list).stream().mapToInt(n -> ((Number) n).intValue()).toArray();
    }

    private static double[] doubles(Object list) {
        return ((List<?>) list).stream().mapToDouble(n -> ((Number) n).doubleValue()).toArray();
    }
}
