package io.github.panagrad.examples.demo;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Labels questions by an encoder that is tuned whole: Core-tuning, a supervised contrastive term and
/// layer-attentive pooling beside cross-entropy; see [ContrastiveTuning].
final class ContrastiveDemo implements Demonstration {
    private static final int PER_LABEL = 20;
    private static final int TESTED = 120;

    @Override
    public String name() {
        return "contrastive";
    }

    @Override
    public List<String> shows() {
        return List.of(
                "CoreTuning", "ContrastiveClassifier", "LayerPooledClassifier", "SupConOptions");
    }

    @Override
    public String setting() {
        return "all-MiniLM, its embeddings frozen, on 20 questions of each of the six labels of TREC,"
                + " 15 steps of 24 rows; measured on 120 test questions. The spread is the mean"
                + " cosine distance of questions of one label, divided by that of different ones.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower("contrast", "spread", "a contrastive term draws classes together"),
                Claim.lower("Core-tuning", "spread", "so does Core-tuning"),
                Claim.higher("Core-tuning", "accuracy", "Core-tuning is right more often"),
                Claim.higher("contrast", "accuracy", "so is the contrastive term"),
                Claim.higher("layers", "accuracy", "pooling all layers is right more often"),
                Claim.higher("layers and contrast", "accuracy", "so are both together"));
    }

    @Override
    public int usualSeeds() {
        return 3;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        LabelledTexts all = LabelledTexts.trec(trial.path("datasets/trec/train.label"));
        LabelledTexts train = all.perLabel(trial.rows(PER_LABEL), trial.seed());
        LabelledTexts test =
                LabelledTexts.trec(trial.path("datasets/trec/test.label"))
                        .sample(trial.rows(TESTED), 0);
        var tuning =
                new ContrastiveTuning(
                        trial.path("models/all-minilm-l6-v2"),
                        train,
                        test,
                        trial.steps(15),
                        24,
                        1e-4);
        Map<String, ContrastiveTuning.Arm> arms = new LinkedHashMap<>();
        arms.put("cross-entropy", ContrastiveTuning.Arm.PLAIN);
        arms.put("contrast", ContrastiveTuning.Arm.CONTRAST);
        arms.put("Core-tuning", ContrastiveTuning.Arm.CORE);
        arms.put("layers", ContrastiveTuning.Arm.LAYERS);
        arms.put("layers and contrast", ContrastiveTuning.Arm.LAYERS_CONTRAST);
        arms.forEach((arm, how) -> {
            ContrastiveTuning.Result result = tuning.run(how, trial.seed());
            figures.add(arm, "accuracy", result.accuracy());
            figures.add(arm, "macro F1", result.macroF1());
            figures.add(arm, "spread", result.spread());
        });
    }
}
