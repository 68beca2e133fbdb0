package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.ContrastiveLosses;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.losses.CrossEntropyOptions;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.models.FeatureClassifier;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives.Labelled;
import io.github.panagrad.nn.train.Step;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Classifies, and draws the features of each class together with a weight that changes over the run:
/// L = L_ce + λ(t)·L_supCon(projector(features)).
///
/// With [LayerPooledClassifier] this is layer-attentive residual pooling with supervised contrastive
/// learning and progressive weighting (arXiv 2603.14075). **A reconstruction**: only the paper's
/// abstract could be read; the projector, τ = 0.1 and a weight that rises from 0 to 0.3 over the first
/// half of training are this library's choices. The contrastive loss is that of Khosla et al. 2020,
/// arXiv 2004.11362, eq. 2.
///
/// Where λ is 0, or no class has two rows in a batch, the loss is plain cross-entropy.
public final class ContrastiveClassifier implements Objective<Labelled> {
    private static final CrossEntropyOptions SUMMING =
            CrossEntropyOptions.DEFAULT.reduction(Reduction.SUM);

    private final FeatureClassifier model;
    private final Layer projector;
    private final SupConOptions options;
    private final Schedule lambda;
    private final @Nullable ProjectionQueue queue;

    /// Creates an objective.
    ///
    /// @param model the classifier
    /// @param projector what the features go through before they are compared
    /// @param options temperature and weights of pairs
    /// @param lambda the weight λ of the contrastive term, step by step, such as a [Ramp]
    public ContrastiveClassifier(
            FeatureClassifier model, Layer projector, SupConOptions options, Schedule lambda) {
        this(model, projector, options, lambda, null);
    }

    private ContrastiveClassifier(
            FeatureClassifier model,
            Layer projector,
            SupConOptions options,
            Schedule lambda,
            @Nullable ProjectionQueue queue) {
        this.model = model;
        this.projector = projector;
        this.options = options;
        this.lambda = lambda;
        this.queue = queue;
    }

    /// Returns the same, which compares rows with those of earlier batches too.
    public ContrastiveClassifier queue(ProjectionQueue earlier) {
        return new ContrastiveClassifier(model, projector, options, lambda, earlier);
    }

    /// Attaches a projector to a classifier, where files leave it out, and creates the objective.
    /// Make the optimizer afterwards.
    ///
    /// @param width the width of the projections, 128 in the paper of Khosla et al.
    /// @param seed of the projector's weights
    public static <M extends Module & FeatureClassifier> ContrastiveClassifier attach(
            M model, int width, SupConOptions options, Schedule lambda, long seed) {
        return new ContrastiveClassifier(model, projector(model, width, seed), options, lambda);
    }

    /// Attaches linear map, ReLU, linear map to a classifier, as `projector`.
    static <M extends Module & FeatureClassifier> Layer projector(M model, int width, long seed) {
        var projector = new Mlp(Rng.of(seed), model.width(), model.width(), width);
        model.attach("projector", projector);
        return projector;
    }

    @Override
    public LossTerm loss(Labelled batch, Step step) {
        int[] labels = RowLabels.of("contrastive classifier", batch);
        int rows = labels.length;
        Context context = step.context().branch();
        Tensor features = model.features(batch.input(), context);
        Tensor classified =
                Losses.crossEntropy(model.scores(features, context), batch.labels(), SUMMING);
        double weight = lambda.at(step.number() - 1, step.total());
        var report = new HashMap<String, Double>();
        report.put("ce", classified.item() / rows);
        report.put("lambda", weight);
        Tensor sum = classified;
        if (weight != 0 && (queue != null || RowLabels.havePair(labels))) {
            Tensor projected = projector.call(features, context);
            Tensor contrast = contrast(projected, labels);
            if (contrast != null) {
                report.put("contrast", contrast.item());
                sum = classified.add(contrast.mul(weight * rows));
            }
            if (queue != null) {
                queue.push(projected.detach(), labels);
            }
        }
        return new LossTerm(sum, rows, rows, report);
    }

    /// Compares rows with each other and with those of the queue, which are no anchors. Returns null
    /// where no row has a companion.
    private @Nullable Tensor contrast(Tensor projected, int[] labels) {
        if (queue == null || queue.size() == 0) {
            return RowLabels.havePair(labels)
                    ? ContrastiveLosses.supCon(projected, labels, options)
                    : null;
        }
        int[] earlier = queue.labels();
        int all = labels.length + earlier.length;
        var positives = new boolean[all][all];
        boolean any = false;
        for (int i = 0; i < labels.length; i++) {
            for (int j = 0; j < all; j++) {
                int other = j < labels.length ? labels[j] : earlier[j - labels.length];
                positives[i][j] = j != i && other == labels[i];
                any |= positives[i][j];
            }
        }
        Tensor both = Ops.concat(0, projected, queue.rows(projected));
        return any ? ContrastiveLosses.supCon(both, positives, options) : null;
    }

    @Override
    public Map<String, Tensor> state() {
        return queue == null ? Map.of() : queue.state();
    }

    @Override
    public void load(Map<String, Tensor> state) {
        if (queue == null) {
            Objective.super.load(state);
        } else {
            queue.load(state);
        }
    }

    @Override
    public boolean isAccumulationInvariant() {
        return false;
    }
}
