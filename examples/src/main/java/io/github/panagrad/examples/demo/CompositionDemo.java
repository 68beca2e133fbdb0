package io.github.panagrad.examples.demo;

import java.util.List;

/// Changes learnt apart from each other are added: sparse ones beside dense ones.
final class CompositionDemo implements Demonstration {
    private static final String DENSE = "dense changes";
    private static final String SPARSE = "5 % of the entries";
    private static final String LEAST = "kept at least";

    @Override
    public String name() {
        return "composition";
    }

    @Override
    public List<String> shows() {
        return List.of("lt-sft");
    }

    @Override
    public String setting() {
        return "stories260k learns plays of Shakespeare's and, apart from that, answers of Alpaca, in"
                + " 30 steps of 8 windows of 64 tokens (the sparse arm twice: to find the entries,"
                + " then to train them); both changes are added to the untouched model. Kept is the"
                + " share of the gain in held-out loss that the sum has of what the change made for"
                + " the text has; below 0, the sum is worse than the untouched model.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.higher(SPARSE, LEAST, "sparse changes are less in each other's way"),
                Claim.higher(SPARSE, "kept of plays", "they keep more of the plays"),
                Claim.higher(SPARSE, "kept of answers", "they keep more of the answers"));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        List<SparseCompositionDemo.Task> tasks = Texts.tasks(trial);
        var demo =
                new SparseCompositionDemo(
                        trial.path("models/stories260k"),
                        tasks.getFirst(),
                        tasks.getLast(),
                        0.05,
                        trial.steps(30),
                        8,
                        3e-3);
        for (SparseCompositionDemo.Arm arm : demo.run(trial.seed()).reversed()) {
            String name = arm.density() == 1 ? DENSE : SPARSE;
            figures.add(name, "plays, own change", arm.own()[0]);
            figures.add(name, "plays, sum", arm.sum()[0]);
            figures.add(name, "answers, own change", arm.own()[1]);
            figures.add(name, "answers, sum", arm.sum()[1]);
            figures.add(name, "kept of plays", arm.kept(0));
            figures.add(name, "kept of answers", arm.kept(1));
            figures.add(name, LEAST, Math.min(arm.kept(0), arm.kept(1)));
        }
    }
}
