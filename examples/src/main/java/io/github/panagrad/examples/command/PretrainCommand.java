package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.examples.quickstart.StoryModel;
import io.github.panagrad.examples.task.LanguageTask;
import io.github.panagrad.examples.tuning.TuningRun;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Trainer;
import io.github.panagrad.nn.train.TrainingReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Makes the model of the quick start: this is how the one in the jar came about.
@Command(
        name = "pretrain",
        hidden = true,
        description = {
            "Trains the quick start's model from nothing, on stories that are made up as they are"
                    + " needed.",
            "Its defaults are those that the model in the jar was made with."
        })
public final class PretrainCommand implements Runnable {
    private static final int ROW = 256;
    private static final int HELD_OUT = 200;

    @Spec private CommandSpec spec;

    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            description = "Folder for the model.")
    private Path output;

    @Option(
            names = "--stories",
            defaultValue = "100000",
            paramLabel = "N",
            description = "Stories to tell. Default: ${DEFAULT-VALUE}.")
    private int stories;

    @Option(
            names = "--steps",
            defaultValue = "10000",
            paramLabel = "N",
            description = "Steps of four rows of 256 tokens. Default: ${DEFAULT-VALUE}.")
    private long steps;

    @Option(
            names = "--lr",
            defaultValue = "2.5e-3",
            paramLabel = "X",
            description = "Learning rate. Default: ${DEFAULT-VALUE}.")
    private double lr;

    @Option(
            names = "--seed",
            defaultValue = "1",
            paramLabel = "N",
            description = "Decides the stories and the first weights. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--resume", description = "Go on from the state in the output folder.")
    private boolean resume;

    @SuppressWarnings("UnusedVariable") // acts as it is parsed
    @Mixin
    private ThreadOption threads;

    PretrainCommand() {}

    @Override
    public void run() {
        OutputFolder.prepare(output);
        CausalLM model = StoryModel.create(output, seed);
        Tokenizer tokenizer = model.tokenizer();
        List<Example> examples =
                StoryModel.examples(StoryModel.stories(seed, HELD_OUT + stories), tokenizer);
        Batches heldOut = Batches.of(examples.subList(0, HELD_OUT)).size(16);
        Batches training =
                Batches.of(examples.subList(HELD_OUT, examples.size()))
                        .size(4)
                        .packed(ROW)
                        .shuffled(seed);
        var optimizer = AdamW.of(model.trainable()).lr(lr).weightDecay(0.05).betas(0.9, 0.98);
        Trainer<Batch> trainer =
                Trainer.of(model, optimizer, Objectives.nextToken(model))
                        .steps(steps)
                        .seed(seed)
                        .maxGradNorm(1)
                        .schedule(Schedule.cosine(0.05).warmupShare(0.05))
                        .saveState(output.resolve(TuningRun.STATE), 250);
        if (resume) {
            trainer.resume(output.resolve(TuningRun.STATE));
        }
        var run =
                new TuningRun(
                        "pre-training",
                        "tokens",
                        output,
                        LanguageTask.measure(model, heldOut),
                        500,
                        resume);
        TrainingReport report =
                run.run(trainer, BatchSource.of(training), steps, () -> save(model));
        spec.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        "%,d parameters, %,d steps, %,d tokens; in %s%n",
                        model.parameterCount(),
                        report.steps(),
                        report.tokens(),
                        output);
    }

    /// Writes the weights in half of their size: what is lost is far below what training noise
    /// does.
    private void save(CausalLM model) {
        model.to(DType.BF16);
        model.save(output);
        model.to(DType.F32);
    }
}
