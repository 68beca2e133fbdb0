package io.github.panagrad.examples.task;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.DistributionLosses;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.data.BalancedSampler;
import io.github.panagrad.nn.data.LabelledRows;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.metrics.Calibration;
import io.github.panagrad.nn.metrics.ClassificationReport;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.FeatureClassifier;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Tunes an encoder to give texts their labels.
///
/// @param encoder the encoder
/// @param classifier the same with a head
/// @param training what is trained on
/// @param heldOut what is measured on, or null
/// @param goal what is made small
/// @param order how batches are made
public record ClassifyTask(
        Encoder encoder,
        LabelModel classifier,
        LabelledRows training,
        @Nullable LabelledRows heldOut,
        Goal.Labels goal,
        Order order)
        implements Task<Labelled> {
    /// How batches are made.
    ///
    /// @param size rows a batch
    /// @param seed decides the order and new weights
    /// @param shuffled whether the order changes from epoch to epoch
    public record Order(int size, long seed, boolean shuffled) {}

    @Override
    public Module model() {
        return classifier.module();
    }

    @Override
    public ParamSelection selection() {
        return BertModel.selection(model());
    }

    @Override
    public Tokenizer tokenizer() {
        return encoder.tokenizer();
    }

    @Override
    public BatchSource<Labelled> batches() {
        return batches(encoder, training, goal.perClass(), order);
    }

    /// Makes batches, with several rows of each class where that is wanted.
    static BatchSource<Labelled> batches(
            Encoder encoder, LabelledRows rows, int perClass, Order order) {
        if (perClass == 0) {
            return BatchSource.ofRows(
                    rows.size(),
                    order.size(),
                    order.shuffled() ? order.seed() : null,
                    which -> batch(encoder, rows, which));
        }
        // Two classes at least, to be compared with each other.
        int several = Math.max(1, Math.min(perClass, order.size() / 2));
        int size = order.size() - order.size() % several;
        var sampler = BalancedSampler.of(rows.labels(), several, size, order.seed());
        return new BatchSource<>() {
            @Override
            public Iterable<Labelled> epoch(int epoch) {
                return () ->
                        sampler.epoch(epoch).stream()
                                .map(which -> batch(encoder, rows, which))
                                .iterator();
            }

            @Override
            public long batchesPerEpoch() {
                return sampler.batchesPerEpoch();
            }
        };
    }

    private static Labelled batch(Encoder encoder, LabelledRows rows, int[] which) {
        int[] own = Arrays.stream(which).map(i -> rows.labels()[i]).toArray();
        return new Labelled(encoder.input(rows.rows(), which), Ops.indices(own, own.length));
    }

    @Override
    public String data() {
        return String.format(
                Locale.ROOT, "%,d rows, %d labels", training.size(), training.names().size());
    }

    @Override
    public void run(Labelled batch) {
        classifier.head().features(batch.input(), Context.EMPTY);
    }

    @Override
    public Objective<Labelled> objective(@Nullable Adapter adapter) {
        int[] counts = new int[training.names().size()];
        Arrays.stream(training.labels()).forEach(label -> counts[label]++);
        return goal.maker().of(classifier.head(), counts, order.seed());
    }

    /// KL of the labels' probabilities, the head being the same with and without the adapter.
    @Override
    public Objective<Labelled> divergence(Adapter adapter) {
        Teacher<Module> before = Teacher.adapterOff(model(), adapter::enabled);
        FeatureClassifier head = classifier.head();
        return (batch, step) -> {
            Tensor theirs = before.ask(step, m -> head.logits(batch.input(), Context.EMPTY).keep());
            Tensor own = head.logits(batch.input(), step.context());
            return LossTerm.of(
                    DistributionLosses.forwardKl(own, theirs).sum(), batch.labels().size());
        };
    }

    @Override
    public @Nullable Measure measure() {
        LabelledRows rows = heldOut;
        return rows == null ? null : () -> measured(rows);
    }

    private Measure.Result measured(LabelledRows rows) {
        FeatureClassifier head = classifier.head();
        double[][] scores = encoder.ask(rows.rows(), in -> head.logits(in, Context.EMPTY));
        int[] answers = new int[scores.length];
        double loss = 0;
        for (int i = 0; i < answers.length; i++) {
            double[] p = Calibration.softmax(scores[i], 1);
            for (int c = 0; c < p.length; c++) {
                answers[i] = p[c] > p[answers[i]] ? c : answers[i];
            }
            loss -= Math.log(Math.max(p[rows.labels()[i]], Double.MIN_NORMAL)) / answers.length;
        }
        var report = ClassificationReport.of(rows.labels(), answers, rows.names().size());
        double f1 = report.macro(report::f1);
        return new Measure.Result(
                loss,
                JsonObject.of(
                        "loss",
                        loss,
                        "accuracy",
                        report.accuracy(),
                        "macro_f1",
                        f1,
                        "rows",
                        (long) rows.size()),
                String.format(
                        Locale.ROOT,
                        "%.4f (accuracy %.3f, macro F1 %.3f)",
                        loss,
                        report.accuracy(),
                        f1));
    }

    @Override
    public List<String> heads() {
        return classifier.heads();
    }

    @Override
    public void save(Path folder) {
        classifier.save(folder);
        encoder.tokenizer().save(folder);
    }

    @Override
    public void saveBeside(Path folder) {
        classifier.describe().write(folder.resolve(LabelModel.FILE));
    }
}
