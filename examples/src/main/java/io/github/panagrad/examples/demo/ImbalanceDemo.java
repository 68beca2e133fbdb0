package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.ClassWeights;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.metrics.Calibration;
import io.github.panagrad.nn.metrics.ClassificationReport;
import io.github.panagrad.nn.metrics.Ranking;
import io.github.panagrad.nn.objective.PointLoss;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Labels films' reviews after few examples of which a fifth is good: focal loss and class weights
/// beside cross-entropy, at the sizes of arXiv 2512.20520.
final class ImbalanceDemo implements Demonstration {
    private static final int COMMON = 355;
    private static final int RARE = 87;
    private static final int EPOCHS = 30;
    private static final List<String> NAMES = List.of("0", "1");

    @Override
    public String name() {
        return "imbalance";
    }

    @Override
    public List<String> shows() {
        return List.of("focal", "ClassWeights");
    }

    @Override
    public String setting() {
        return "SST-2 cut to 355 negative and 87 positive sentences, another draw for each seed; a"
                + " network of one hidden layer on the sentence vectors of the frozen all-MiniLM, 30"
                + " epochs. Measured on 300 test sentences, half of them positive; \"at 4:1\" is"
                + " without three in four of the positive ones.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.higher(
                        "balanced weights",
                        "rare recall",
                        "class weights find more of the rare class"),
                Claim.higher("focal γ 2", "rare recall", "focal loss alone does too"),
                Claim.higher("focal γ 2, balanced", "rare recall", "so do both together"),
                Claim.higher(
                                "focal γ 2, balanced",
                                "accuracy at 4:1",
                                "weighted recall, which is accuracy, is within 0.02 of cross-entropy's at the ratio of the training data")
                        .within(0.02),
                Claim.higher("focal γ 2", "AUROC", "the ranking is no worse by 0.01").within(0.01),
                Claim.lower("focal γ 2", "calibration error", "focal loss is better calibrated"));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        LabelledTexts all = LabelledTexts.sst2(trial.path("datasets/sst2/train.txt"));
        LabelledTexts few =
                all.only("0")
                        .sample(trial.rows(COMMON), trial.seed())
                        .concat(all.only("1").sample(trial.rows(RARE), trial.seed()));
        var train = SentenceVectors.of(trial, few, NAMES);
        LabelledTexts asked = LabelledTexts.sst2(trial.path("datasets/sst2/test.txt"));
        var test = SentenceVectors.of(trial, asked.perLabel(trial.rows(150), 0), NAMES);
        int rare = few.only("1").size();
        Tensor balanced = ClassWeights.balanced(few.size() - rare, rare);
        PointLoss plain = PointLoss.crossEntropy();
        PointLoss focal = PointLoss.focal(2);
        arm(trial, train, test, plain, null, "cross-entropy", figures);
        arm(trial, train, test, plain, balanced, "balanced weights", figures);
        arm(trial, train, test, focal, null, "focal γ 2", figures);
        arm(trial, train, test, focal, balanced, "focal γ 2, balanced", figures);
    }

    private static void arm(
            Trial trial,
            SentenceVectors train,
            SentenceVectors test,
            PointLoss loss,
            @Nullable Tensor weights,
            String arm,
            Recorder figures) {
        Mlp network = train.fit(NAMES.size(), loss, weights, EPOCHS, trial);
        double[][] p = test.ask(network);
        int[] truth = test.labels();
        int[] answers = SentenceVectors.best(p);
        var report = ClassificationReport.of(truth, answers, NAMES.size());
        figures.add(arm, "rare recall", report.recall(1));
        figures.add(arm, "common recall", report.recall(0));
        figures.add(arm, "accuracy at 4:1", atTrainingRatio(truth, answers).accuracy());
        double[] scores = new double[truth.length];
        double[] confidence = new double[truth.length];
        boolean[] positive = new boolean[truth.length];
        boolean[] right = new boolean[truth.length];
        for (int i = 0; i < truth.length; i++) {
            scores[i] = p[i][1];
            confidence[i] = p[i][answers[i]];
            positive[i] = truth[i] == 1;
            right[i] = answers[i] == truth[i];
        }
        figures.add(arm, "AUROC", Ranking.auroc(scores, positive));
        figures.add(arm, "calibration error", Calibration.expectedError(confidence, right, 15));
    }

    /// Keeps all negative rows and every fourth of the positive ones.
    private static ClassificationReport atTrainingRatio(int[] truth, int[] answers) {
        var kept = new ArrayList<Integer>();
        int positive = 0;
        for (int i = 0; i < truth.length; i++) {
            if (truth[i] == 0 || positive++ % 4 == 0) {
                kept.add(i);
            }
        }
        return ClassificationReport.of(
                kept.stream().mapToInt(i -> truth[i]).toArray(),
                kept.stream().mapToInt(i -> answers[i]).toArray(),
                NAMES.size());
    }
}
