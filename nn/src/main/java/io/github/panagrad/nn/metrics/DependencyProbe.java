package io.github.panagrad.nn.metrics;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.DistillOptions;
import io.github.panagrad.losses.HeadDistillation;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// How much the numbers of an answer depend on those of its question: one number of the question is
/// replaced by another, and the change of the model's predictions of the answer's numbers is measured
/// by how far they stand from it.
///
/// A number is a token of nothing but digits, with or without a blank before it; it is replaced by
/// one of as many characters, so that all else keeps its place. Source: in the manner of Masked
/// Thought, arXiv 2403.02178, the analysis of dependencies.
///
/// ```java
/// var probe = new DependencyProbe(model, tokenizer, seed);
/// for (DependencyProbe.Band band : DependencyProbe.bands(probe.measure(examples), 20)) { … }
/// ```
public final class DependencyProbe {
    private final CausalLM model;
    private final long seed;

    /// The tokens that are numbers, by their form: as long, and with a blank before them or not.
    private final Map<String, List<Integer>> byForm = new HashMap<>();

    private final Map<Integer, String> forms = new HashMap<>();

    /// What replacing a number does to the prediction of another.
    ///
    /// @param distance how many tokens behind the replaced one the predicted one stands
    /// @param divergence KL(before ‖ after) of its prediction, in nats
    public record Effect(int distance, double divergence) {}

    /// Effects at about one distance.
    ///
    /// @param from the least distance
    /// @param to the first distance that is too large
    /// @param mean the mean divergence, in nats
    /// @param count how many effects there are
    public record Band(int from, int to, double mean, int count) {}

    /// Creates a probe.
    ///
    /// @param seed decides which numbers are replaced, and by which
    /// @throws PanagradException if the vocabulary has no two numbers of one length
    public DependencyProbe(CausalLM model, Tokenizer tokenizer, long seed) {
        this.model = model;
        this.seed = seed;
        int vocabulary = Math.min(tokenizer.vocabSize(), model.config().vocabSize());
        for (int id = 0; id < vocabulary; id++) {
            String text = tokenizer.decode(new int[] {id}, false);
            if (text.matches(" ?[0-9]+")) {
                String form = text.replaceAll("[0-9]", "0");
                forms.put(id, form);
                byForm.computeIfAbsent(form, f -> new ArrayList<>()).add(id);
            }
        }
        if (byForm.values().stream().allMatch(ids -> ids.size() < 2)) {
            throw new PanagradException(
                    "dependencyProbe",
                    "no two numbers of one length among the tokens",
                    forms.size() + " numbers",
                    "tokens of digits",
                    "");
        }
    }

    /// Returns the tokens that may stand for a number.
    private int[] others(int id) {
        String form = forms.getOrDefault(id, "");
        return byForm.getOrDefault(form, List.of()).stream()
                .mapToInt(Integer::intValue)
                .filter(other -> other != id)
                .toArray();
    }

    /// Measures examples, one number of each; those without a number in both question and answer, or
    /// with none that could be replaced, have no effects.
    ///
    /// @param examples their predicted tokens are the answers
    public List<Effect> measure(List<Example> examples) {
        boolean wasTraining = model.isTraining();
        model.training(false);
        var effects = new ArrayList<Effect>();
        try {
            for (int i = 0; i < examples.size(); i++) {
                Example example = examples.get(i);
                var draw = new Rng.Draw(seed, i);
                effects.addAll(Ops.scope(() -> Ops.noGrad(() -> measure(example, draw))));
            }
        } finally {
            model.training(wasTraining);
        }
        return List.copyOf(effects);
    }

    private List<Effect> measure(Example example, Rng.Draw draw) {
        int[] ids = example.inputIds();
        int begin = 1;
        while (begin < ids.length && example.labels()[begin] == Example.IGNORED) {
            begin++;
        }
        int[] asked = IntStream.range(0, begin).filter(t -> others(ids[t]).length > 0).toArray();
        int[] answered =
                IntStream.range(begin, ids.length)
                        .filter(t -> example.labels()[t] != Example.IGNORED)
                        .filter(t -> forms.containsKey(ids[t]))
                        .toArray();
        if (asked.length == 0 || answered.length == 0) {
            return List.of();
        }
        int replaced = asked[(int) (asked.length * draw.uniform(0))];
        int[] others = others(ids[replaced]);
        int[] changed = ids.clone();
        changed[replaced] = others[(int) (others.length * draw.uniform(1))];
        double[] divergence = divergence(ids, changed, answered);
        var effects = new ArrayList<Effect>();
        for (int i = 0; i < answered.length; i++) {
            effects.add(new Effect(answered[i] - replaced, divergence[i]));
        }
        return effects;
    }

    /// Computes KL(before ‖ after) of the predictions of some places.
    private double[] divergence(int[] before, int[] after, int[] places) {
        Batch both =
                Batches.of(List.of(Example.of(before), Example.of(after)))
                        .size(2)
                        .iterator()
                        .next();
        Tensor hidden = model.hidden(both);
        Tensor states = hidden.reshape(-1, hidden.dim(-1));
        int length = both.length();
        int[] first = Arrays.stream(places).map(t -> t - 1).toArray();
        int[] second = Arrays.stream(first).map(t -> t + length).toArray();
        Tensor was = states.indexSelect(0, Ops.indices(first, first.length).to(states.device()));
        Tensor is = states.indexSelect(0, Ops.indices(second, second.length).to(states.device()));
        return HeadDistillation.perToken(
                        is, model.head(), was, model.head(), DistillOptions.DEFAULT)
                .toDoubles();
    }

    /// Averages effects over stretches of distance, the nearest first; empty ones are left out.
    ///
    /// @param width how many distances a stretch has
    public static List<Band> bands(List<Effect> effects, int width) {
        Checks.require("dependencyProbe", width > 0, "no width", width, "at least 1");
        var byBand = new TreeMap<Integer, List<Effect>>();
        for (Effect effect : effects) {
            byBand.computeIfAbsent(effect.distance() / width, b -> new ArrayList<>()).add(effect);
        }
        var bands = new ArrayList<Band>();
        byBand.forEach((band, members) ->
                bands.add(
                        new Band(band * width, (band + 1) * width, mean(members), members.size())));
        return List.copyOf(bands);
    }

    /// Returns the mean divergence of effects, in nats; 0 of none.
    public static double mean(List<Effect> effects) {
        return effects.stream().mapToDouble(Effect::divergence).average().orElse(0);
    }
}
