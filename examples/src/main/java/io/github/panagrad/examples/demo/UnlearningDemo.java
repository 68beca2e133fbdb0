package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.UnlearnSet;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Distill;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.objective.Unlearn;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;

/// Makes a model of stories forget a name: the dual masked KL of single image unlearning beside
/// cross-entropy, an unmasked KL and gradient ascent.
final class UnlearningDemo implements Demonstration {
    private static final String MODEL = "stories15m";
    private static final String PROBABILITY = "p(Tim)";
    private static final String LOSS = "loss of other stories";
    private static final String FLUENCY = "loss of own stories under the base";
    private static final int STORIES = 12;
    private static final int LENGTH = 64;
    private static final int SAMPLED = 32;

    /// Makes an arm's objective; nothing is learnt by the untouched model.
    private interface Arm extends BiFunction<CausalLM, Teacher<CausalLM>, Objective<Batch>> {}

    @Override
    public String name() {
        return "unlearning";
    }

    @Override
    public List<String> shows() {
        return List.of("Unlearn", "UnlearnSet");
    }

    @Override
    public String setting() {
        return "stories15m with LoRA of rank 8, 12 steps of 4 rows, forgets the name Tim by four rows"
                + " of each of the four kinds; gradient ascent goes over four texts about Tim."
                + " Measured: the name's probability at the end of those of 30 texts whose likeliest next"
                + " token it was, the loss of 12 other stories without it, and the untouched model's loss of"
                + " two samples of 32 tokens.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower("CE + dual masked KL", PROBABILITY, "the masked KL forgets more")
                        .against("CE + KL"),
                Claim.lower(
                        "CE + dual masked KL", PROBABILITY, "it forgets more than cross-entropy"),
                Claim.lower("CE + dual masked KL", LOSS, "it keeps other stories better"),
                Claim.lower("CE + dual masked KL", LOSS, "it keeps them better than ascent does")
                        .against("gradient ascent"));
    }

    @Override
    public int usualSeeds() {
        return 3;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        CausalLM base = trial.model(MODEL);
        Tokenizer tokenizer = base.tokenizer();
        List<List<String>> stories =
                Stories.read(trial.path("datasets/tinystories/sample.txt")).stories();
        List<String> others =
                stories.stream()
                        .map(story -> String.join(" ", story))
                        .filter(text -> !text.contains(UnlearningRows.NAME))
                        .toList();
        int first = 4 * (int) (trial.seed() % 4);
        List<String> shown =
                others.subList(first, first + 4).stream().map(t -> t.substring(0, 200)).toList();
        UnlearnSet rows = UnlearningRows.read(tokenizer, shown);
        Set<Integer> concept = UnlearnSet.concept(tokenizer, List.of(UnlearningRows.NAME));
        List<Example> contexts = contexts(base, tokenizer);
        List<Example> kept =
                trial.rows(
                        others.subList(16, others.size()).stream()
                                .map(tokenizer::encode)
                                .map(ids ->
                                        Example.of(
                                                Arrays.copyOf(ids, Math.min(LENGTH, ids.length))))
                                .toList(),
                        STORIES);
        List<Example> about =
                UnlearningRows.about().stream().map(tokenizer::encode).map(Example::of).toList();
        List<Example> all = rows.data().examples();
        var bench = new Bench(trial, base, contexts, kept, figures);
        bench.arm("cross-entropy", all, (m, before) -> Objectives.nextToken(m));
        bench.arm("CE + KL", all, (m, before) -> Distill.of(m, before).weights(0.9, 0.75));
        bench.arm(
                "CE + dual masked KL",
                all,
                (m, before) -> Unlearn.of(m, before, concept).kept(rows::isKept));
        bench.arm("gradient ascent", about, (m, before) -> ascent(m));
        bench.figures("untouched", base);
    }

    private static Objective<Batch> ascent(CausalLM model) {
        Objective<Batch> descent = Objectives.nextToken(model);
        return (batch, step) -> {
            LossTerm term = descent.loss(batch, step);
            return new LossTerm(term.sum().neg(), term.count(), term.tokens(), term.report());
        };
    }

    /// Keeps the texts whose last token, a name, is the model's first choice there.
    private static List<Example> contexts(CausalLM base, Tokenizer tokenizer) {
        List<Example> all =
                UnlearningRows.endings().stream()
                        .map(tokenizer::encode)
                        .map(UnlearningDemo::lastOnly)
                        .toList();
        return TokenScore.of(base, all).stream()
                .filter(TokenScore::right)
                .map(score -> all.get(score.example()))
                .toList();
    }

    private static Example lastOnly(int[] ids) {
        int[] labels = new int[ids.length];
        Arrays.fill(labels, Example.IGNORED);
        labels[ids.length - 1] = ids[ids.length - 1];
        return new Example(ids, labels, 0);
    }

    /// Trains and measures arms.
    private record Bench(
            Trial trial,
            CausalLM base,
            List<Example> contexts,
            List<Example> kept,
            Recorder figures) {
        void arm(String name, List<Example> data, Arm arm) {
            CausalLM model = trial.model(MODEL);
            Adapter adapter =
                    Lora.rank(8).seed(trial.seed()).attach(model, "**.{q,v,o,up,down}_proj");
            new TextTraining(trial.steps(12), 4, 2e-3)
                    .run(
                            model,
                            arm.apply(model, Teacher.adapterOff(model, adapter::enabled)),
                            Batches.of(data),
                            trial.seed());
            figures(name, model);
        }

        void figures(String name, CausalLM model) {
            List<TokenScore> names = TokenScore.of(model, contexts);
            figures.add(
                    name,
                    PROBABILITY,
                    names.stream().mapToDouble(s -> Math.exp(-s.nll())).average().orElse(0));
            figures.add(name, LOSS, TokenScore.loss(TokenScore.of(model, kept)));
            int[] start = base.tokenizer().encode("One day");
            var own = new ArrayList<Example>();
            for (int i = 0; i < 2; i++) {
                var sampling =
                        Sampling.temperature(1)
                                .maxTokens(trial.steps(SAMPLED))
                                .seed(trial.seed() * 2 + i);
                int[] rest = model.generate(start, sampling, id -> {});
                int[] ids = Arrays.copyOf(start, start.length + rest.length);
                System.arraycopy(rest, 0, ids, start.length, rest.length);
                own.add(Example.of(ids));
            }
            figures.add(name, FLUENCY, TokenScore.loss(TokenScore.of(base, own)));
        }
    }
}
