package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.ContrastiveLosses;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.losses.DistributionLosses;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.models.FeatureClassifier;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives.Labelled;
import io.github.panagrad.nn.train.Step;
import java.util.HashMap;

/// Core-tuning: classifies the features of a batch and hard mixtures of them, and draws those of a
/// class together where they are still apart: L = L_ce + η·L_con.
///
/// L_ce is the mean cross-entropy of all rows against their mixed labels, which smooths the decision
/// boundary; L_con the supervised contrastive loss of their projections, each pair weighed by 1 − π,
/// π being the share it has already. Source: Zhang et al. 2021, arXiv 2102.06605, eq. 4 and 6.
///
/// ```java
/// var objective = CoreTuning.attach(classifier, CoreTuning.Options.DEFAULT, 256, seed);
/// Trainer.of(classifier, AdamW.of(classifier.trainable()), objective) …
/// ```
public final class CoreTuning implements Objective<Labelled> {
    private final FeatureClassifier model;
    private final Layer projector;
    private final Options options;

    /// How much of what.
    ///
    /// @param eta η, the weight of the contrastive term, 0 or more; the paper tunes it over 0.1, 1, 10
    /// @param mixer makes the hard pairs
    /// @param contrast temperature and weights of pairs
    /// @param detachOriginals whether the features that are not mixed are constants to both terms, as
    ///     in the authors' repository
    public record Options(
            double eta, HardPairMixer mixer, SupConOptions contrast, boolean detachOriginals) {
        /// η 0.1, uniform shares, temperature 0.07, focal weights that gradients flow through, an
        /// average over the positives.
        public static final Options DEFAULT =
                new Options(
                        0.1,
                        HardPairMixer.DEFAULT,
                        new SupConOptions(0.07, true, false, true),
                        false);

        /// Checks η.
        public Options {
            if (!(eta >= 0 && Double.isFinite(eta))) {
                throw new PanagradException(
                        "coreTuning", "eta is out of range", "" + eta, "0 or more", "");
            }
        }

        /// Returns the same with another η.
        public Options eta(double value) {
            return new Options(value, mixer, contrast, detachOriginals);
        }

        /// Returns the same with another way to mix.
        public Options mixer(HardPairMixer value) {
            return new Options(eta, value, contrast, detachOriginals);
        }

        /// Returns the same with another contrastive loss.
        public Options contrast(SupConOptions value) {
            return new Options(eta, mixer, value, detachOriginals);
        }

        /// Returns the same with the features that are not mixed as constants, or not.
        public Options detachOriginals(boolean value) {
            return new Options(eta, mixer, contrast, value);
        }
    }

    /// Creates an objective.
    ///
    /// @param model the classifier
    /// @param projector what features go through before they are compared
    public CoreTuning(FeatureClassifier model, Layer projector, Options options) {
        this.model = model;
        this.projector = projector;
        this.options = options;
    }

    /// Attaches a projector (linear map, ReLU, linear map) to a classifier, where files leave it out,
    /// and creates the objective. Make the optimizer afterwards.
    ///
    /// @param width the width of the projections, 256 in the paper
    /// @param seed of the projector's weights
    public static <M extends Module & FeatureClassifier> CoreTuning attach(
            M model, Options options, int width, long seed) {
        return new CoreTuning(model, ContrastiveClassifier.projector(model, width, seed), options);
    }

    @Override
    public LossTerm loss(Labelled batch, Step step) {
        int[] labels = RowLabels.of("core-tuning", batch);
        int rows = labels.length;
        Context context = step.context().branch();
        Tensor features = model.features(batch.input(), context);
        Mixture mixture = options.mixer().mix(features, labels, context.rng());
        Tensor all = mixture.features(features);
        if (options.detachOriginals()) {
            all = Ops.concat(0, features.detach(), all.narrow(0, rows, mixture.rows() - rows));
        }
        Tensor logits = model.scores(all, context);
        Tensor soft = mixture.softLabels(logits, logits.dim(1));
        Tensor loss = DistributionLosses.softTargetCrossEntropy(logits, soft).mean();
        var report = new HashMap<String, Double>();
        report.put("ce", loss.item());
        boolean[][] positives = mixture.positives();
        if (options.eta() > 0 && anyOf(positives)) {
            Tensor projected = projector.call(all, context);
            Tensor contrast = ContrastiveLosses.supCon(projected, positives, options.contrast());
            report.put("contrast", contrast.item());
            loss = loss.add(contrast.mul(options.eta()));
        }
        return new LossTerm(loss.mul(rows), rows, rows, report);
    }

    private static boolean anyOf(boolean[][] marks) {
        for (boolean[] row : marks) {
            for (boolean mark : row) {
                if (mark) {
                    return true;
                }
            }
        }
        return false;
    }

    @Override
    public boolean isAccumulationInvariant() {
        return false;
    }
}
