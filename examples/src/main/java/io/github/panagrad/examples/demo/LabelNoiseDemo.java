package io.github.panagrad.examples.demo;

import io.github.panagrad.nn.data.LabelNoise;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.objective.PointLoss;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Labels questions after examples some of which are labelled wrongly: symmetric and generalised
/// cross-entropy beside cross-entropy.
final class LabelNoiseDemo implements Demonstration {
    private static final int ROWS = 600;
    private static final int EPOCHS = 40;
    private static final int[] PERCENT = {0, 25, 40};

    @Override
    public String name() {
        return "label-noise";
    }

    @Override
    public List<String> shows() {
        return List.of("sce", "gce", "LabelNoise");
    }

    @Override
    public String setting() {
        return "600 questions of TREC with six labels, of which 0, 25 or 40 % were replaced by"
                + " another; a network of one hidden layer on the sentence vectors of the frozen"
                + " all-MiniLM, 40 epochs. Accuracy is that on 300 test questions at the end;"
                + " memorised is the share of wrong labels that the network gives back.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.higher(
                        "generalised q 0.7",
                        "accuracy, 25 %",
                        "generalised cross-entropy gains under 25 % of noise"),
                Claim.higher(
                        "symmetric 0.1, 1", "accuracy, 25 %", "symmetric cross-entropy does too"),
                Claim.higher("0.4 CE + 0.6 generalised", "accuracy, 25 %", "so does a mixture"),
                Claim.higher(
                        "generalised q 0.7",
                        "accuracy, 40 %",
                        "generalised cross-entropy gains under 40 %"),
                Claim.higher(
                        "symmetric 0.1, 1", "accuracy, 40 %", "symmetric cross-entropy does too"),
                Claim.lower(
                        "generalised q 0.7",
                        "memorised, 40 %",
                        "it learns fewer wrong labels by heart"),
                Claim.higher(
                                "generalised q 0.7",
                                "accuracy, 0 %",
                                "without noise it loses less than 0.02")
                        .within(0.02));
    }

    @Override
    public int usualSeeds() {
        return 5;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        LabelledTexts all = LabelledTexts.trec(trial.path("datasets/trec/train.label"));
        List<String> names = all.labels();
        var clean = SentenceVectors.of(trial, all.sample(trial.rows(ROWS), trial.seed()), names);
        LabelledTexts asked = LabelledTexts.trec(trial.path("datasets/trec/test.label"));
        var test = SentenceVectors.of(trial, asked.sample(trial.rows(300), 0), names);
        Map<String, PointLoss> arms = new LinkedHashMap<>();
        PointLoss generalized = PointLoss.generalized(0.7);
        arms.put("cross-entropy", PointLoss.crossEntropy());
        arms.put("symmetric 0.1, 1", PointLoss.symmetric(0.1, 1, -4));
        arms.put("generalised q 0.7", generalized);
        arms.put(
                "0.4 CE + 0.6 generalised",
                PointLoss.mix(0.4, PointLoss.crossEntropy(), generalized));
        arms.forEach((arm, loss) -> {
            for (int percent : PERCENT) {
                var noise = LabelNoise.symmetric(names.size(), percent / 100.0, trial.seed());
                int[] labels = noise.apply(clean.labels());
                SentenceVectors train = clean.withLabels(labels);
                Mlp network = train.fit(names.size(), loss, null, EPOCHS, trial);
                figures.add(
                        arm,
                        "accuracy, " + percent + " %",
                        share(SentenceVectors.best(test.ask(network)), test.labels(), null));
                if (percent > 0) {
                    figures.add(
                            arm,
                            "memorised, " + percent + " %",
                            share(
                                    SentenceVectors.best(train.ask(network)),
                                    labels,
                                    clean.labels()));
                }
            }
        });
    }

    /// Returns the share of equal labels, among all rows or those with a label other than the clean one.
    private static double share(int[] answers, int[] labels, int @Nullable [] clean) {
        int equal = 0;
        int all = 0;
        for (int i = 0; i < labels.length; i++) {
            if (clean == null || clean[i] != labels[i]) {
                equal += answers[i] == labels[i] ? 1 : 0;
                all++;
            }
        }
        return (double) equal / Math.max(1, all);
    }
}
