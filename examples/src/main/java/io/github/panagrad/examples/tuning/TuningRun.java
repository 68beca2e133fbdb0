package io.github.panagrad.examples.tuning;

import io.github.panagrad.examples.progress.LossCurve;
import io.github.panagrad.examples.progress.TrainingProgress;
import io.github.panagrad.examples.task.Measure;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.StepMetrics;
import io.github.panagrad.nn.train.Trainer;
import io.github.panagrad.nn.train.TrainingReport;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Runs a trainer for a user: shows progress, writes metrics, measures held-out loss, draws the
/// loss curve, and ends well on Ctrl-C.
///
/// @param task what is done, in a word or two
/// @param unit what its speed counts, such as tokens
/// @param folder where the files go
/// @param measure measures on data that is not trained on; null for none
/// @param evalEvery after how many steps to measure; 0 for only before and after
/// @param resumed whether the run goes on where another ended
public record TuningRun(
        String task,
        String unit,
        Path folder,
        @Nullable Measure measure,
        long evalEvery,
        boolean resumed) {
    /// Figures of each step, one object a line.
    public static final String METRICS = "metrics.jsonl";

    /// Held-out loss as it was measured, one object a line.
    public static final String EVALUATIONS = "eval.jsonl";

    /// The loss over the steps, as a picture.
    public static final String CURVE = "loss.png";

    /// All that is needed to go on with the run.
    public static final String STATE = "training-state.safetensors";

    /// Trains.
    ///
    /// @param trainer set up but for what this adds: listeners, a stop flag
    /// @param steps how many steps there will be
    /// @param afterwards saves the result; called also when the run was interrupted, before the
    ///     process ends
    public <B> TrainingReport run(
            Trainer<B> trainer, BatchSource<B> source, long steps, Runnable afterwards) {
        var curve = new LossCurve();
        try (var interrupt = Interrupt.listen();
                var metrics = MetricsFile.open(folder.resolve(METRICS), resumed);
                var progress = TrainingProgress.start(task, steps, unit)) {
            try {
                trainer.stopWhen(interrupt)
                        .onWarning(progress::note)
                        .onStep(step -> record(step, metrics, curve, progress));
                if (measure == null) {
                    return train(trainer, source, afterwards);
                }
                return measured(trainer, source, afterwards, curve, progress);
            } finally {
                // Drawing registers shutdown hooks, which a JVM that is ending refuses.
                if (!curve.isEmpty() && !interrupt.getAsBoolean()) {
                    curve.save(folder.resolve(CURVE), task);
                }
            }
        }
    }

    private static <B> TrainingReport train(
            Trainer<B> trainer, BatchSource<B> source, Runnable afterwards) {
        TrainingReport report = trainer.run(source);
        afterwards.run();
        return report;
    }

    private <B> TrainingReport measured(
            Trainer<B> trainer,
            BatchSource<B> source,
            Runnable afterwards,
            LossCurve curve,
            TrainingProgress progress) {
        try (var evaluations = MetricsFile.open(folder.resolve(EVALUATIONS), resumed)) {
            if (!resumed) {
                measure(0, evaluations, curve, progress);
            }
            if (evalEvery > 0) {
                trainer.every(evalEvery, step -> measure(step, evaluations, curve, progress));
            }
            TrainingReport report = train(trainer, source, afterwards);
            if (!report.stopped() && (evalEvery == 0 || report.steps() % evalEvery != 0)) {
                measure(report.steps(), evaluations, curve, progress);
            }
            return report;
        }
    }

    private static void record(
            StepMetrics step, MetricsFile metrics, LossCurve curve, TrainingProgress progress) {
        metrics.write(step);
        curve.step(step.step(), step.loss());
        progress.step(step.step(), step.loss(), step.tokensPerSecond());
    }

    private void measure(
            long step, MetricsFile evaluations, LossCurve curve, TrainingProgress progress) {
        if (measure == null) {
            return;
        }
        Measure.Result measured = measure.run();
        JsonObject line = JsonObject.of("step", step);
        for (String name : measured.figures().names()) {
            line = line.with(name, measured.figures().get(name));
        }
        evaluations.line(line);
        curve.heldOut(step, measured.loss());
        progress.note("held-out loss after step " + step + ": " + measured.text());
    }
}
