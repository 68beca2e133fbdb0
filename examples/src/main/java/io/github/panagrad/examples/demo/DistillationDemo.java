package io.github.panagrad.examples.demo;

import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Distill;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Teaches a model cut to its first two blocks again what it knew: by text alone, or by the whole model's
/// distributions as well.
final class DistillationDemo implements Demonstration {
    private static final String MODEL = "stories260k";
    private static final int BLOCKS = 2;
    private static final int TESTED = 25;
    private static final int LENGTH = 128;

    @Override
    public String name() {
        return "distillation";
    }

    @Override
    public List<String> shows() {
        return List.of("Distill");
    }

    @Override
    public String setting() {
        return "The student is stories260k cut to the first two of its five blocks, the teacher the"
                + " whole of it; 60 steps of 8 beginnings, of 128 tokens, of 50 stories of"
                + " TinyStories, measured on 25 others.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower(
                        "CE + KL", "held-out loss", "a teacher beside the text lowers the loss"),
                Claim.lower("KL alone, T 2", "held-out loss", "so does a teacher without labels"));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        CausalLM whole = trial.model(MODEL);
        List<Example> all =
                Stories.read(trial.path("datasets/tinystories/sample.txt"))
                        .examples(whole.tokenizer(), LENGTH);
        List<Example> test = trial.rows(all, TESTED);
        List<Example> train = trial.rows(all.subList(TESTED, all.size()), 50);
        Map<String, Function<CausalLM, Objective<Batch>>> arms = new LinkedHashMap<>();
        arms.put("cross-entropy", Objectives::nextToken);
        arms.put("CE + KL", student -> Distill.of(student, Teacher.of(whole)));
        arms.put(
                "KL alone, T 2",
                student -> Distill.of(student, Teacher.of(whole)).temperature(2).weights(0, 1));
        arms.forEach((arm, objective) -> {
            CausalLM student = cut(whole);
            new TextTraining(trial.steps(60), 8, 2e-3)
                    .run(student, objective.apply(student), Batches.of(train), trial.seed());
            List<TokenScore> scores = TokenScore.of(student, test);
            figures.add(arm, "held-out loss", TokenScore.loss(scores));
            figures.add(arm, "accuracy", TokenScore.accuracy(scores));
            figures.add(
                    arm, "loss of training text", TokenScore.loss(TokenScore.of(student, train)));
        });
        figures.add("the teacher", "held-out loss", TokenScore.loss(TokenScore.of(whole, test)));
    }

    private static CausalLM cut(CausalLM whole) {
        var config = whole.config().json().with("num_hidden_layers", (long) BLOCKS);
        CausalLM student = CausalLM.create(ModelConfig.of(config), 0);
        var weights = new LinkedHashMap<>(whole.stateDict());
        weights.keySet().retainAll(student.stateDict().keySet());
        student.load(weights);
        return student;
    }
}
