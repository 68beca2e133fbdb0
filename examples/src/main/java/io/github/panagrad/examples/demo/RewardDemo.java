package io.github.panagrad.examples.demo;

import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Grpo;
import io.github.panagrad.nn.objective.PolicySurrogate;
import io.github.panagrad.nn.objective.Teacher;
import java.util.ArrayList;
import java.util.List;

/// Rewards a model for short sentences: group-relative policy gradients (GRPO, arXiv 2402.03300), with and
/// without a penalty for leaving what the model was.
final class RewardDemo implements Demonstration {
    private static final String MODEL = "stories260k";
    private static final String UNTOUCHED = "untouched";
    private static final String PENALTY = "GRPO β 0.2";
    private static final String FREE = "GRPO β 0";
    private static final String REWARD = "reward";
    private static final String LOSS = "loss of stories";
    private static final int TOKENS = 32;
    private static final int TESTED = 20;
    private static final int ANSWERS = 4;
    private static final int WANTED = 4;

    @Override
    public String name() {
        return "rewards";
    }

    @Override
    public List<String> shows() {
        return List.of("grpo");
    }

    @Override
    public String setting() {
        return "stories260k goes on after the first sentence of a story, 32 tokens at temperature 1. The"
                + " reward is the number of sentences that end in them, up to four, divided by four."
                + " 25 steps of 4 beginnings with 8 answers each; measured are the mean reward of 80"
                + " answers to 20 other beginnings, and the loss of the stories that these are from.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.higher(PENALTY, REWARD, "sampling and comparing earns more"),
                Claim.higher(FREE, REWARD, "without a penalty, too"),
                Claim.lower(PENALTY, LOSS, "the penalty keeps more of the stories").against(FREE));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        Stories stories = Stories.read(trial.path("datasets/tinystories/sample.txt"));
        Stories tested = stories.part(0, trial.rows(TESTED));
        Tokenizer tokenizer = trial.model(MODEL).tokenizer();
        var train = new ArrayList<Example>();
        for (List<String> story : stories.part(TESTED, stories.size()).stories()) {
            if (story.size() > 1) {
                train.add(Stories.answered(tokenizer, story.get(0), story.get(1), 0));
            }
        }
        for (String arm : List.of(UNTOUCHED, PENALTY, FREE)) {
            CausalLM model = trial.model(MODEL);
            if (!arm.equals(UNTOUCHED)) {
                Teacher<CausalLM> before = Teacher.frozenCopy(model);
                var objective =
                        new Grpo(
                                PolicySurrogate.of(model, before)
                                        .klWeight(arm.equals(PENALTY) ? 0.2 : 0),
                                8,
                                Sampling.temperature(1).maxTokens(TOKENS),
                                (answer, wanted) -> reward(tokenizer, answer));
                new TextTraining(trial.steps(25), Math.min(4, trial.rows(4)), 1e-3)
                        .run(model, objective, Batches.of(train), trial.seed());
            }
            figures.add(arm, REWARD, earned(model, tested, trial.seed()));
            figures.add(arm, LOSS, TwoTexts.loss(model, tested.examples(tokenizer, 128)));
        }
    }

    private static double reward(Tokenizer tokenizer, int[] answer) {
        long ended =
                tokenizer.decode(answer, true).chars().filter(c -> ".!?".indexOf(c) >= 0).count();
        return Math.min(WANTED, ended) / (double) WANTED;
    }

    private static double earned(CausalLM model, Stories tested, long seed) {
        Sampling sampling = Sampling.temperature(1).maxTokens(TOKENS);
        double sum = 0;
        int count = 0;
        for (List<String> story : tested.stories()) {
            int[] prompt = model.tokenizer().encode(story.getFirst());
            for (int i = 0; i < ANSWERS; i++) {
                Sampling own = sampling.seed(seed * 10_000 + count++);
                sum += reward(model.tokenizer(), model.generate(prompt, own, token -> {}));
            }
        }
        return sum / count;
    }
}
