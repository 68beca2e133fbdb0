package io.github.panagrad.examples.command;

import io.github.panagrad.adapters.spectra.SpectraProbe;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.progress.TrainingProgress;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.examples.tuning.Interrupt;
import io.github.panagrad.examples.tuning.Method;
import io.github.panagrad.examples.tuning.MetricsFile;
import io.github.panagrad.examples.tuning.Rehearsal;
import io.github.panagrad.examples.tuning.SpectraWatch;
import io.github.panagrad.examples.tuning.TuningRun;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Phases;
import io.github.panagrad.nn.train.Trainer;
import io.github.panagrad.nn.train.TrainingReport;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Fine-tunes a model on data.
@Command(
        name = "finetune",
        description = {
            "Fine-tunes a model on data of yours.",
            "Writes the adapter (lora) or the model (full, sparse) to the output folder, and beside"
                    + " it metrics.jsonl, loss.png and the state to --resume from. Ctrl-C ends the"
                    + " run after the step that is being done, with everything saved."
        })
public final class FinetuneCommand implements Runnable {
    /// The share of a run in which the learning rate rises, where the user says nothing.
    private static final double WARMUP_SHARE = 0.03;

    private static final String SPECTRA = "spectra";

    @Spec private CommandSpec spec;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description =
                    "Folder with config.json, safetensors and tokenizer.json, as on Hugging Face.")
    private Path folder;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description = {
                "Text (.txt), cut into windows of --seq-len tokens; or rows (.jsonl) of {\"text\"},"
                        + " {\"prompt\", \"completion\"} (only the completion is learned) or"
                        + " {\"input_ids\", \"labels\"?} (-100: not learned). For dpo, ipo, simpo and"
                        + " orpo rows of {\"prompt\", \"chosen\", \"rejected\"}, for kto of {\"prompt\","
                        + " \"completion\", \"label\"}.",
                "For encoders rows of {\"text\", \"label\"}; for info-nce of {\"anchor\","
                        + " \"positive\"}, for triplet with {\"negative\"} too; a label is a number"
                        + " for mse, two-hot and hl-gauss."
            })
    private Path data;

    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            description = "Folder for everything that is written; created if it is missing.")
    private Path output;

    @Mixin private MethodOptions how;

    @ArgGroup private Length length = new Length();

    /// How long a run is, in one of two measures.
    private static final class Length {
        @Option(
                names = "--epochs",
                paramLabel = "N",
                description = "Passes over the data. Default: 1.")
        private int epochs;

        @Option(
                names = "--steps",
                paramLabel = "N",
                description = "Steps of the optimizer, instead of epochs.")
        private long steps;
    }

    @Option(
            names = "--batch-size",
            defaultValue = "8",
            paramLabel = "N",
            description = "Rows in a batch. Default: ${DEFAULT-VALUE}.")
    private int batchSize;

    @Option(
            names = "--grad-accumulation",
            defaultValue = "1",
            paramLabel = "N",
            description = "Batches that make a step. Default: ${DEFAULT-VALUE}.")
    private int gradAccumulation;

    @Mixin private TaskOptions what;

    @Option(
            names = "--pack",
            description =
                    "Put several short rows of data into one of --seq-len tokens; they do not see"
                            + " each other.")
    private boolean pack;

    private enum ScheduleName {
        CONSTANT,
        LINEAR,
        COSINE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--schedule",
            defaultValue = "cosine",
            paramLabel = "NAME",
            description =
                    "How the learning rate falls after warm-up: ${COMPLETION-CANDIDATES}. Default:"
                            + " ${DEFAULT-VALUE}.")
    private ScheduleName scheduleName;

    @Option(
            names = "--warmup-steps",
            defaultValue = "-1",
            paramLabel = "N",
            description = "Steps in which the learning rate rises. Default: 3 %% of all.")
    private long warmupSteps;

    @Option(
            names = "--weight-decay",
            defaultValue = "0",
            paramLabel = "X",
            description = "What the weights shrink by, times the learning rate. Default: 0.")
    private double weightDecay;

    @Option(
            names = "--max-grad-norm",
            defaultValue = "1",
            paramLabel = "X",
            description = "Longer gradients are shortened to this norm; 0: none. Default: 1.")
    private double maxGradNorm;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description =
                    "Decides the order of the data, dropout and initial weights. The same seed gives"
                            + " the same run, bit for bit. Default: 0.")
    private long seed;

    @Option(
            names = "--shuffle",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description =
                    "Take the data in another order in each epoch (default), or as it stands.")
    private boolean shuffle;

    @Option(
            names = "--eval-data",
            paramLabel = "FILE",
            description = "Data to measure the loss on that is not trained on.")
    private @Nullable Path evalData;

    @Option(
            names = "--eval-every",
            defaultValue = "0",
            paramLabel = "N",
            description = "Steps from one such measurement to the next. Default: first and last.")
    private long evalEvery;

    @Option(
            names = "--probe",
            paramLabel = "spectra=N",
            description =
                    "Count intruder dimensions (arXiv 2410.21228) after every N steps, into"
                            + " spectra.jsonl.")
    private Map<String, Long> probes = Map.of();

    @Option(
            names = "--save-every",
            defaultValue = "0",
            paramLabel = "N",
            description = "Steps from one saved state to the next. Default: at the end only.")
    private long saveEvery;

    @Option(
            names = "--resume",
            description = "Go on from the state in the output folder, with the same options.")
    private boolean resume;

    @Option(
            names = "--checkpointing",
            description = "Compute activations twice instead of keeping them: less memory.")
    private boolean checkpointing;

    @SuppressWarnings("UnusedVariable") // acts as it is parsed
    @Mixin
    private ThreadOption threads;

    @Mixin private DeviceOption where;

    @Mixin private QuantizeOption quantized;

    FinetuneCommand() {}

    @Override
    public void run() {
        OutputFolder.prepare(output);
        if (what.hasLabelNoise() && how.favoursHardRows()) {
            spec.commandLine()
                    .getErr()
                    .println(
                            "warning: focal counts hard rows for more, and those with wrong labels"
                                    + " are hard; gce and sce count them for less");
        }
        var rows = new TaskOptions.Rows(batchSize, seed, shuffle, pack);
        tune(
                what.task(
                        folder,
                        how.objective(),
                        data,
                        evalData,
                        rows,
                        how.method().positions(),
                        checkpointing));
    }

    private <B> void tune(Task<B> task) {
        PrintWriter err = spec.commandLine().getErr();
        Module model = task.model();
        SpectraWatch watch = probeSteps() > 0 ? new SpectraWatch(task) : null;
        quantized.apply(model);
        Method.Prepared prepared = how.method().prepare(task, seed);
        if (quantized.isWanted() && prepared.adapter() == null) {
            throw new PanagradException(
                    "--quantize",
                    "quantised weights cannot train",
                    prepared.describe(),
                    "a method that leaves them frozen, such as lora",
                    "");
        }
        model.to(where.device());
        Objective<B> plain = task.objective(prepared.adapter());
        Objective<B> objective = prepared.objective(plain);
        AdamW optimizer = optimizer(model.trainable());
        prepared.groups(how.lr()).forEach(optimizer::group);
        Trainer<B> trainer =
                trainer(model, optimizer, objective)
                        .saveState(output.resolve(TuningRun.STATE), saveEvery);
        prepared.attend(trainer);
        prepared.select(optimizer, objective, task.first());
        BatchSource<B> source = task.batches();
        long steps = steps(source);
        if (!begin(prepared, trainer, task, plain, steps)) {
            spec.commandLine()
                    .getOut()
                    .println(
                            "stopped before the run proper; go on with --resume. Saved in "
                                    + output);
            return;
        }
        err.println("training " + prepared.describe());
        err.printf(Locale.ROOT, "data: %s; %,d steps%n", task.data(), steps);
        var run =
                new TuningRun(
                        "fine-tuning", task.unit(), output, task.measure(), evalEvery, resume);
        if (watch == null) {
            TrainingReport report = run.run(trainer, source, steps, () -> prepared.save(output));
            spec.commandLine().getOut().println(summary(report));
            return;
        }
        try (MetricsFile file = SpectraWatch.open(output, resume)) {
            SpectraProbe probe = watch.attend(trainer, probeSteps(), prepared.adapter(), file);
            TrainingReport report = run.run(trainer, source, steps, () -> prepared.save(output));
            err.println(SpectraWatch.summary(probe.points()));
            spec.commandLine().getOut().println(summary(report));
        }
    }

    /// Returns after how many steps to look at spectra; 0 for never.
    private long probeSteps() {
        for (Map.Entry<String, Long> probe : probes.entrySet()) {
            if (!probe.getKey().equals(SPECTRA) || probe.getValue() < 1) {
                throw new PanagradException(
                        "--probe",
                        "not a probe",
                        probe.getKey() + "=" + probe.getValue(),
                        SPECTRA + "=N, N 1 or more",
                        "");
            }
        }
        return probes.getOrDefault(SPECTRA, 0L);
    }

    /// Goes on with the run proper where it was begun; else lets the method train what comes before.
    ///
    /// @return false if that was stopped
    private <B> boolean begin(
            Method.Prepared prepared,
            Trainer<B> trainer,
            Task<B> task,
            Objective<B> objective,
            long steps) {
        Path state = output.resolve(TuningRun.STATE);
        boolean rehearsing = resume && !Files.exists(state) && Phases.isSaved(output);
        if (resume && !rehearsing) {
            trainer.resume(state);
            return true;
        }
        if (!resume) {
            OutputFolder.forget(state);
            Phases.forget(output);
        }
        try (var interrupt = Interrupt.listen();
                var shown = new Shown(task.unit())) {
            Rehearsal.Maker<B> maker =
                    (parameters, goal, count) -> {
                        long wanted = count > 0 ? count : steps;
                        TrainingProgress progress = shown.next(wanted);
                        return trainer(task.model(), optimizer(parameters), goal)
                                .steps(wanted)
                                .stopWhen(interrupt)
                                .onWarning(progress::note)
                                .onStep(s ->
                                        progress.step(s.step(), s.loss(), s.tokensPerSecond()));
                    };
            Phases phases =
                    rehearsing
                            ? Phases.resumed(output, saveEvery)
                            : Phases.saved(output, saveEvery);
            return prepared.rehearse(
                    new Rehearsal<>(phases, objective, task.batches(), maker, trainer.optimizer()));
        }
    }

    /// The progress of one phase after another before the run proper; of none, nothing is shown.
    private static final class Shown implements AutoCloseable {
        private final String unit;
        private @Nullable TrainingProgress progress;

        Shown(String unit) {
            this.unit = unit;
        }

        TrainingProgress next(long steps) {
            close();
            TrainingProgress started = TrainingProgress.start("finding entries", steps, unit);
            progress = started;
            return started;
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
                progress = null;
            }
        }
    }

    private AdamW optimizer(List<Parameter> parameters) {
        return AdamW.of(parameters).lr(how.lr()).weightDecay(weightDecay);
    }

    private <B> Trainer<B> trainer(Module model, AdamW optimizer, Objective<B> objective) {
        Trainer<B> trainer =
                Trainer.of(model, optimizer, objective)
                        .accumulation(gradAccumulation)
                        .maxGradNorm(maxGradNorm)
                        .schedule(schedule())
                        .seed(seed);
        return length.steps > 0 ? trainer.steps(length.steps) : trainer.epochs(epochs());
    }

    private int epochs() {
        return Math.max(1, length.epochs);
    }

    private Schedule schedule() {
        Schedule falling =
                switch (scheduleName) {
                    case CONSTANT -> Schedule.constant();
                    case LINEAR -> Schedule.linear();
                    case COSINE -> Schedule.cosine();
                };
        return warmupSteps < 0 ? falling.warmupShare(WARMUP_SHARE) : falling.warmup(warmupSteps);
    }

    private long steps(BatchSource<?> source) {
        return length.steps > 0
                ? length.steps
                : epochs() * Math.ceilDiv(source.batchesPerEpoch(), gradAccumulation);
    }

    private String summary(TrainingReport report) {
        String done =
                report.stopped()
                        ? "stopped after step %d; go on with --resume. Saved in %s"
                        : "done after step %d. Saved in %s";
        return done.formatted(report.steps(), output);
    }
}
