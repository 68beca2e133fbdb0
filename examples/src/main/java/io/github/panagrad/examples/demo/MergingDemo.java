package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.delta.AppliedDelta;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.LayerScaling;
import io.github.panagrad.adapters.delta.Merge;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Objectives;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/// Merges what was learnt of two texts apart from each other: as a sum times one factor, by depth (LiNeS,
/// arXiv 2410.17146), and by TIES (arXiv 2306.01708).
final class MergingDemo implements Demonstration {
    private static final String SUM = "sum, one factor";
    private static final String SUM_DEPTH = "sum, by depth";
    private static final String TIES = "TIES, one factor";
    private static final String TIES_DEPTH = "TIES, by depth";
    private static final String MEAN = "mean loss";
    private static final int POINTS = 10;

    @Override
    public String name() {
        return "merging";
    }

    @Override
    public List<String> shows() {
        return List.of("Merge", "LayerScaling");
    }

    @Override
    public String setting() {
        return "stories260k learns plays of Shakespeare's and, apart from that, answers of Alpaca, all"
                + " parameters, in 30 steps of 8 windows of 64 tokens. Both changes are merged; the"
                + " factor, or by depth β, is the best of ten on one half of the windows held out"
                + " (0.1 to 1, 1.5 for TIES, which keeps a fifth), the losses are those on the other"
                + " half.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower(SUM_DEPTH, MEAN, "by depth, a sum keeps more of both"),
                Claim.lower(TIES_DEPTH, MEAN, "so does TIES").against(TIES),
                Claim.lower(TIES, MEAN, "TIES keeps more than a sum"));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        List<SparseCompositionDemo.Task> tasks = Texts.tasks(trial);
        var training = new TextTraining(trial.steps(30), 8, 3e-3);
        var deltas = new ArrayList<Delta>();
        for (SparseCompositionDemo.Task task : tasks) {
            CausalLM model = trial.model("stories260k");
            var base = Delta.snapshot(model);
            training.run(
                    model, Objectives.nextToken(model), Batches.of(task.train()), trial.seed());
            deltas.add(Delta.difference(base, model.stateDict()));
        }
        CausalLM model = trial.model("stories260k");
        ParamSelection all = model.selection();
        Delta sum = Merge.sum(deltas);
        Delta ties = Merge.ties(deltas, 0.2);
        var merger = new Merger(model, tasks);
        merger.figures(SUM, 1, sum::times, figures);
        merger.figures(SUM_DEPTH, 1, b -> byDepth(sum, deltas, b, all), figures);
        merger.figures(TIES, 1.5, ties::times, figures);
        merger.figures(TIES_DEPTH, 1.5, b -> byDepth(ties, deltas, b, all), figures);
    }

    private static Delta byDepth(
            Delta merged, List<Delta> deltas, double beta, ParamSelection where) {
        return LayerScaling.forMerge(merged, deltas, beta).apply(merged, where);
    }

    /// Chooses on the even windows, measures on the odd ones.
    private record Merger(CausalLM model, List<SparseCompositionDemo.Task> tasks) {
        void figures(String arm, double most, DoubleFunction<Delta> scaled, Recorder figures) {
            double best =
                    IntStream.rangeClosed(1, POINTS)
                            .mapToObj(i -> i * most / POINTS)
                            .min(Comparator.comparingDouble(at -> mean(scaled.apply(at))))
                            .orElseThrow();
            double[] losses = losses(scaled.apply(best), i -> i % 2 == 1);
            figures.add(arm, "factor or β", best);
            for (int t = 0; t < losses.length; t++) {
                figures.add(arm, tasks.get(t).name(), losses[t]);
            }
            figures.add(arm, MEAN, (losses[0] + losses[1]) / 2);
        }

        private double mean(Delta delta) {
            double[] losses = losses(delta, i -> i % 2 == 0);
            return (losses[0] + losses[1]) / 2;
        }

        private double[] losses(Delta delta, IntPredicate which) {
            try (AppliedDelta _ = delta.apply(model)) {
                return tasks.stream()
                        .map(task -> task.heldOut().examples())
                        .map(all -> some(all, which))
                        .mapToDouble(some -> TwoTexts.loss(model, some))
                        .toArray();
            }
        }

        private static List<Example> some(List<Example> all, IntPredicate which) {
            return IntStream.range(0, all.size()).filter(which).mapToObj(all::get).toList();
        }
    }
}
