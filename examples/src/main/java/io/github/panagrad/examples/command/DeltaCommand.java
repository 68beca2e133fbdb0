package io.github.panagrad.examples.command;

import io.github.panagrad.adapters.delta.AppliedDelta;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.LayerScaling;
import io.github.panagrad.adapters.delta.Merge;
import io.github.panagrad.adapters.delta.ScalingSearch;
import io.github.panagrad.adapters.sparse.HalfSelection;
import io.github.panagrad.adapters.spectra.ConditionNumbers;
import io.github.panagrad.adapters.spectra.Side;
import io.github.panagrad.adapters.spectra.Spectra;
import io.github.panagrad.adapters.spectra.SpectraReport;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.ExampleReader;
import io.github.panagrad.nn.io.AtomicFile;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Evaluator;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Works on what fine-tuning has changed, after training: adds, scales, merges, looks at and repairs it.
@Command(
        name = "delta",
        description = {
            "Works on what fine-tuning has changed: adds, scales by depth, merges, looks at and repairs"
                    + " it.",
            "A change is the folder of a delta, of an adapter, or of a tuned model, whose difference to"
                    + " the base is taken."
        })
public final class DeltaCommand implements Runnable {
    private static final String DELTA = "Folder of a change.";
    private static final String BASE = "Folder of the model that was fine-tuned.";
    private static final String OUTPUT = "Folder to write the result to.";
    private static final int WINDOW = 256;
    private static final int ROWS = 8;

    @Spec private CommandSpec spec;

    DeltaCommand() {}

    /// How several changes become one.
    enum Merging {
        SUM,
        AVERAGE,
        TIES,
        CONSENSUS
    }

    /// What counts as an intruder.
    static final class Intruders {
        @Option(
                names = "--k",
                paramLabel = "N",
                description =
                        "How many of the largest singular values are looked at. Default:"
                                + " ${DEFAULT-VALUE}.")
        int k = 10;

        @Option(
                names = "--epsilon",
                paramLabel = "X",
                description =
                        "Below which likeness a vector is an intruder. Default: ${DEFAULT-VALUE}.")
        double epsilon = 0.5;

        SpectraReport report(CausalLM base, Delta delta, Side side) {
            return Spectra.of(base.selection().blocks(b -> true)).compare(delta, k, epsilon, side);
        }
    }

    /// Without a command, says which there are.
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "a command is missing: one of " + spec.subcommands().keySet());
    }

    @Command(name = "compose", description = "Adds changes up and writes them as one.")
    void compose(
            @Option(names = "--model", required = true, paramLabel = "DIR", description = BASE)
                    Path model,
            @Option(names = "--output", required = true, paramLabel = "DIR", description = OUTPUT)
                    Path output,
            @Parameters(arity = "1..*", paramLabel = "DELTA", description = DELTA)
                    List<Path> deltas) {
        OutputFolder.prepare(output);
        save(Merge.sum(DeltaSource.read(deltas, CausalLM.load(model))), output);
    }

    @Command(
            name = "apply",
            description = "Adds a change to a model and writes that as one of its own.")
    void apply(
            @Option(names = "--model", required = true, paramLabel = "DIR", description = BASE)
                    Path model,
            @Option(names = "--output", required = true, paramLabel = "DIR", description = OUTPUT)
                    Path output,
            @Parameters(paramLabel = "DELTA", description = DELTA) Path delta) {
        OutputFolder.prepare(output);
        CausalLM base = CausalLM.load(model);
        try (AppliedDelta _ = DeltaSource.read(delta, base).apply(base)) {
            base.save(output);
        }
        print("model in " + output);
    }

    @Command(
            name = "scale",
            description = {
                "Scales a change by depth (LiNeS, arXiv 2410.17146): block l of L by"
                        + " alpha + beta·l/(L−1), all else by alpha.",
                "With --target and --control, chooses alpha from 0, 0.1 … 1 by both losses."
            })
    void scale(
            @Option(names = "--model", required = true, paramLabel = "DIR", description = BASE)
                    Path model,
            @Option(names = "--output", required = true, paramLabel = "DIR", description = OUTPUT)
                    Path output,
            @Option(
                            names = "--alpha",
                            paramLabel = "X",
                            description = "Factor of the first block and of what is outside.")
                    @Nullable Double alpha,
            @Option(
                            names = "--beta",
                            paramLabel = "X",
                            description = "What the last block has more. Default: 1 − alpha.")
                    @Nullable Double beta,
            @Option(
                            names = "--target",
                            paramLabel = "FILE",
                            description = "Validation data of the task, to choose alpha by.")
                    @Nullable Path target,
            @Option(
                            names = "--control",
                            paramLabel = "FILE",
                            description = "Data of before, to choose alpha by.")
                    @Nullable Path control,
            @Parameters(paramLabel = "DELTA", description = DELTA) Path delta) {
        boolean searches = target != null && control != null;
        boolean half = (target == null) != (control == null);
        if (half || searches == (alpha != null)) {
            throw new PanagradException(
                    "scale",
                    "not one way to choose the factors",
                    "",
                    "either --alpha, or --target and --control",
                    "");
        }
        OutputFolder.prepare(output);
        CausalLM base = CausalLM.load(model);
        Delta change = DeltaSource.read(delta, base);
        ParamSelection all = base.selection();
        LayerScaling scaling;
        if (target != null && control != null) {
            var search =
                    ScalingSearch.run(
                            base,
                            all,
                            change,
                            likelihood(base, target),
                            likelihood(base, control),
                            ScalingSearch.TARGET_WEIGHT);
            print(search.toString());
            scaling = search.best().scaling();
        } else {
            double a = alpha == null ? 1 : alpha;
            scaling = LayerScaling.linear(a, beta == null ? 1 - a : beta);
        }
        save(scaling.apply(change, all), output);
    }

    /// Scores a model by e to the negative loss: the geometric mean of the tokens' probabilities.
    private static DoubleSupplier likelihood(CausalLM model, Path file) {
        Dataset data =
                ExampleReader.of(model.tokenizer())
                        .vocabSize(model.config().vocabSize())
                        .context(model.config().maxPositions())
                        .seqLen(Math.min(WINDOW, model.config().maxPositions()))
                        .read(file);
        return () -> Math.exp(-Evaluator.of(model).run(Batches.of(data).size(ROWS)).loss());
    }

    @Command(
            name = "merge",
            description = "Makes one change of several ones, such as those for different tasks.")
    void merge(
            @Option(names = "--model", required = true, paramLabel = "DIR", description = BASE)
                    Path model,
            @Option(names = "--output", required = true, paramLabel = "DIR", description = OUTPUT)
                    Path output,
            @Option(
                            names = "--by",
                            defaultValue = "sum",
                            paramLabel = "NAME",
                            description =
                                    "sum, average, ties (arXiv 2306.01708) or consensus (arXiv"
                                            + " 2405.07813). Default: ${DEFAULT-VALUE}.")
                    Merging merging,
            @Option(
                            names = "--density",
                            defaultValue = "0.2",
                            paramLabel = "X",
                            description =
                                    "Share of the entries that ties keeps of each. Default:"
                                            + " ${DEFAULT-VALUE}.")
                    double density,
            @Option(
                            names = "--tasks",
                            defaultValue = "2",
                            paramLabel = "N",
                            description =
                                    "How many tasks an entry must matter to for consensus. Default:"
                                            + " ${DEFAULT-VALUE}.")
                    int tasks,
            @Option(
                            names = "--lambda",
                            defaultValue = "0.4",
                            paramLabel = "X",
                            description =
                                    "When an entry matters to a task, for consensus. Default:"
                                            + " ${DEFAULT-VALUE}.")
                    double lambda,
            @Option(
                            names = "--beta",
                            paramLabel = "X",
                            description =
                                    "Scale the result by depth too (LiNeS), to the mean length of"
                                            + " the changes and with this slope.")
                    @Nullable Double beta,
            @Parameters(arity = "2..*", paramLabel = "DELTA", description = DELTA)
                    List<Path> deltas) {
        OutputFolder.prepare(output);
        CausalLM base = CausalLM.load(model);
        List<Delta> all = DeltaSource.read(deltas, base);
        Delta merged =
                switch (merging) {
                    case SUM -> Merge.sum(all);
                    case AVERAGE -> Merge.average(all);
                    case TIES -> Merge.ties(all, density);
                    case CONSENSUS -> Merge.consensus(all, tasks, lambda);
                };
        if (beta != null) {
            merged = LayerScaling.forMerge(merged, all, beta).apply(merged, base.selection());
        }
        save(merged, output);
    }

    @Command(
            name = "spectra",
            description =
                    "Counts intruder dimensions: singular vectors of the tuned matrices that resemble"
                            + " none of the base's (arXiv 2410.21228).")
    void spectra(
            @Option(names = "--model", required = true, paramLabel = "DIR", description = BASE)
                    Path model,
            @Mixin Intruders what,
            @Option(
                            names = "--side",
                            defaultValue = "left",
                            paramLabel = "NAME",
                            description =
                                    "Which singular vectors: left, a layer's outputs, or right, its"
                                            + " inputs. Default: ${DEFAULT-VALUE}.")
                    Side side,
            @Option(names = "--json", description = "Print all figures as JSON and nothing else.")
                    boolean json,
            @Option(
                            names = "--html",
                            paramLabel = "FILE",
                            description = "Draw heat maps of the cosines, as a page.")
                    @Nullable Path html,
            @Parameters(paramLabel = "DELTA", description = DELTA) Path delta) {
        CausalLM base = CausalLM.load(model);
        SpectraReport report = what.report(base, DeltaSource.read(delta, base), side);
        if (html != null) {
            AtomicFile.write(html, report.toHtml().getBytes(StandardCharsets.UTF_8));
        }
        print(json ? report.toJson().toString() : report.toString());
    }

    @Command(
            name = "damp",
            description = "Scales the intruder dimensions of a change down and writes the result.")
    void damp(
            @Option(names = "--model", required = true, paramLabel = "DIR", description = BASE)
                    Path model,
            @Option(names = "--output", required = true, paramLabel = "DIR", description = OUTPUT)
                    Path output,
            @Option(
                            names = "--lambda",
                            required = true,
                            paramLabel = "X",
                            description = "1 leaves the intruders as they are, 0 takes them away.")
                    double lambda,
            @Mixin Intruders what,
            @Parameters(paramLabel = "DELTA", description = DELTA) Path delta) {
        OutputFolder.prepare(output);
        CausalLM base = CausalLM.load(model);
        Delta change = DeltaSource.read(delta, base);
        SpectraReport report = what.report(base, change, Side.LEFT);
        print(report.intruders() + " intruders");
        save(change.plus(report.dampIntruders(lambda)), output);
    }

    @Command(
            name = "condition",
            description =
                    "Lists the condition numbers of a model's matrices, best first: what"
                            + " --method kappa and --targets kappa:N choose by.")
    void condition(
            @Option(
                            names = "--model",
                            required = true,
                            paramLabel = "DIR",
                            description = "Folder of a model.")
                    Path model,
            @Option(
                            names = "--max-dim",
                            defaultValue = "4096",
                            paramLabel = "N",
                            description =
                                    "Larger matrices, such as embeddings, are left out. Default:"
                                            + " ${DEFAULT-VALUE}.")
                    int maxDim) {
        print(ConditionNumbers.of(CausalLM.load(model).selection(), maxDim).toString());
    }

    @Command(
            name = "reset",
            description =
                    "Sets a share of a tuned model's matrices back to the base (half reset, arXiv"
                            + " 2404.18466).")
    void reset(
            @Option(names = "--model", required = true, paramLabel = "DIR", description = BASE)
                    Path model,
            @Option(names = "--output", required = true, paramLabel = "DIR", description = OUTPUT)
                    Path output,
            @Option(
                            names = "--fraction",
                            defaultValue = "0.5",
                            paramLabel = "X",
                            description = "Share that stays as tuned. Default: ${DEFAULT-VALUE}.")
                    double fraction,
            @Option(
                            names = "--seed",
                            defaultValue = "0",
                            paramLabel = "N",
                            description = "Which share. Default: 0.")
                    long seed,
            @Parameters(paramLabel = "TUNED", description = "Folder of the tuned model.")
                    Path tuned) {
        OutputFolder.prepare(output);
        CausalLM now = CausalLM.load(tuned);
        now.to(DType.F32);
        ParamSelection back =
                HalfSelection.category(fraction, seed)
                        .reset(now.selection(), CausalLM.load(model).stateDict(), 0);
        now.save(output);
        print(
                "%,d of %,d parameters are the base's again, in %s"
                        .formatted(back.count(), now.parameterCount(), output));
    }

    private void save(Delta delta, Path output) {
        delta.save(output);
        print(delta + ", in " + output);
    }

    private void print(String text) {
        spec.commandLine().getOut().println(text.stripTrailing());
    }
}
