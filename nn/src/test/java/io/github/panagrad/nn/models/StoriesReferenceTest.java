package io.github.panagrad.nn.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Holds two small story models against values from an independent F64 forward pass.
class StoriesReferenceTest {
    private static final double NLL = 1e-4;
    private static final double LOGIT = 2e-3;

    /// A model, where its reference values are, and a name for the report.
    record Story(String model, String reference) {
        CausalLM load() {
            return CausalLM.load(Assets.require("models/" + model));
        }

        JsonObject values() {
            return JsonObject.read(Assets.require("reference/" + reference));
        }

        @Override
        public String toString() {
            return model;
        }
    }

    static Stream<Story> stories() {
        return Stream.of(
                new Story("stories260k", "stories260K_reference.json"),
                new Story("stories15m", "stories15M_reference.json"));
    }

    @ParameterizedTest
    @MethodSource("stories")
    void lossesAndLogitsAreThoseOfTheReference(Story story) {
        var model = story.load();
        for (Object item : story.values().list("cases")) {
            @SuppressWarnings("unchecked")
            var fields = (Map<String, Object>) item;
            check(model, fields);
        }
    }

    private static void check(CausalLM model, Map<String, Object> fields) {
        String name = (String) fields.get("name");
        int[] ids = ints(fields.get("tokens"));
        Ops.scope(() -> {
            Tensor logits =
                    Ops.noGrad(() -> model.logits(model.hidden(Ops.indices(ids, ids.length))));
            float[] all = logits.toFloats();
            int vocabulary = logits.dim(-1);
            if (fields.get("nll_per_target") instanceof List<?> expected) {
                assertThat(nll(all, vocabulary, ids))
                        .as(name + ": nll")
                        .containsExactly(doubles(expected), within(NLL));
            }
            var argmax = ints(fields.get("argmax_per_position"));
            assertThat(argmax(all, vocabulary)).as(name + ": argmax").isEqualTo(argmax);
            int last = (ids.length - 1) * vocabulary;
            double[] first = doubles(fields.get("last_logits_first64"));
            for (int i = 0; i < first.length; i++) {
                assertThat((double) all[last + i])
                        .as(name + ": logit " + i)
                        .isCloseTo(first[i], within(LOGIT));
            }
        });
    }

    @ParameterizedTest
    @MethodSource("stories")
    void greedyContinuationIsThatOfTheReference(Story story) {
        int[] all = story.values().object("greedy_from_once_upon_a_time").ints("tokens");
        var model = story.load();
        int[] prompt = Arrays.copyOf(all, all.length - 40);
        var listened = new ArrayList<Integer>();
        int[] chosen = model.generate(prompt, Sampling.greedy().maxTokens(40), listened::add);
        assertThat(chosen).isEqualTo(Arrays.copyOfRange(all, prompt.length, all.length));
        assertThat(listened).hasSize(40);
    }

    private static double[] nll(float[] logits, int vocabulary, int[] ids) {
        double[] nll = new double[ids.length - 1];
        for (int t = 0; t < nll.length; t++) {
            double most = Double.NEGATIVE_INFINITY;
            for (int v = 0; v < vocabulary; v++) {
                most = Math.max(most, logits[t * vocabulary + v]);
            }
            double sum = 0;
            for (int v = 0; v < vocabulary; v++) {
                sum += Math.exp(logits[t * vocabulary + v] - most);
            }
            nll[t] = most + Math.log(sum) - logits[t * vocabulary + ids[t + 1]];
        }
        return nll;
    }

    private static int[] argmax(float[] logits, int vocabulary) {
        int[] best = new int[logits.length / vocabulary];
        for (int i = 0; i < logits.length; i++) {
            int t = i / vocabulary;
            if (logits[i] > logits[t * vocabulary + best[t]]) {
                best[t] = i % vocabulary;
            }
        }
        return best;
    }

    private static int[] ints(Object list) {
        return ((List<?>) list).stream().mapToInt(n -> ((Number) n).intValue()).toArray();
    }

    private static double[] doubles(Object list) {
        return ((List<?>) list).stream().mapToDouble(n -> ((Number) n).doubleValue()).toArray();
    }
}
