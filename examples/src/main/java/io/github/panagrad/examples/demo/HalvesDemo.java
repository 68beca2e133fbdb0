package io.github.panagrad.examples.demo;

import java.util.List;

/// Texts are learnt one after the other: by all parameters, and by another half of them each time.
final class HalvesDemo implements Demonstration {
    private static final String ALL = "all parameters";
    private static final String HALF = "half of them";
    private static final String BEFORE = "earlier text and stories";
    private static final String LAST = "last text";

    @Override
    public String name() {
        return "halves";
    }

    @Override
    public List<String> shows() {
        return List.of("hft");
    }

    @Override
    public String setting() {
        return "stories260k learns plays of Shakespeare's, then answers of Alpaca, in 30 steps of 8"
                + " windows of 64 tokens each. Held-out losses at the end: the mean over the plays"
                + " and the stories that it was made for, and that of the answers.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower(HALF, BEFORE, "half fine-tuning forgets less"),
                Claim.lower(HALF, LAST, "it learns the last text no worse than by 0.1")
                        .within(0.1));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        String stories = Texts.read(trial.path("datasets/tinystories/sample.txt"));
        var demo =
                new HalfTuningDemo(
                        trial.path("models/stories260k"),
                        Texts.tasks(trial),
                        Texts.task("stories", stories, trial.model("stories260k").tokenizer())
                                .heldOut(),
                        trial.steps(30),
                        8,
                        3e-3);
        for (HalfTuningDemo.Arm arm : demo.run(trial.seed())) {
            String name = arm.half() ? HALF : ALL;
            figures.add(name, BEFORE, arm.before());
            figures.add(name, LAST, arm.last());
        }
    }
}
