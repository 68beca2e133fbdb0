package io.github.panagrad.examples.demo;

import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Dpo;
import io.github.panagrad.nn.objective.Ipo;
import io.github.panagrad.nn.objective.Kto;
import io.github.panagrad.nn.objective.Orpo;
import io.github.panagrad.nn.objective.Reference;
import io.github.panagrad.nn.objective.ScoreCache;
import io.github.panagrad.nn.objective.SimPo;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Prefers the next sentences of stories in another order than theirs: DPO, IPO, SimPO, ORPO and KTO
/// beside cross-entropy on the preferred answers.
final class PreferenceDemo implements Demonstration {
    private static final String ACCURACY = "preferred";
    private static final String MARGIN = "margin";
    private static final String LOSS = "loss of chosen";
    private static final int TESTED = 15;

    @Override
    public String name() {
        return "preferences";
    }

    @Override
    public List<String> shows() {
        return List.of("dpo", "ipo", "simpo", "orpo", "kto");
    }

    @Override
    public String setting() {
        return "stories260k, all parameters, 40 steps of 4 pairs. A prompt is two sentences of a story"
                + " of TinyStories; the rejected answer is the next two, the chosen one these two the"
                + " other way round, which the untouched model seldom prefers. On stories held out:"
                + " the share of pairs whose chosen answer has the higher mean log-likelihood of a"
                + " token, the difference of the two in nats, and the loss of chosen answers."
                + " Cross-entropy learns the chosen answers.";
    }

    @Override
    public List<Claim> claims() {
        var claims = new ArrayList<Claim>();
        for (String arm : List.of("DPO", "IPO", "SimPO", "ORPO", "KTO")) {
            claims.add(Claim.higher(arm, ACCURACY, arm + " prefers right more often"));
            claims.add(Claim.higher(arm, MARGIN, arm + " prefers more clearly"));
        }
        claims.add(Claim.lower("ORPO", LOSS, "ORPO keeps the loss within 0.1 nats").within(0.1));
        return claims;
    }

    @Override
    public int usualSeeds() {
        return 3;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        Tokenizer tokenizer = trial.model("stories260k").tokenizer();
        Stories all = Stories.read(trial.path("datasets/tinystories/sample.txt"));
        List<StoryPair> test = trial.rows(StoryPair.of(all.part(0, TESTED), tokenizer), 60);
        List<StoryPair> train =
                trial.rows(StoryPair.of(all.part(TESTED, all.size()), tokenizer), 400);
        Map<String, Function<CausalLM, Objective<Batch>>> arms = new LinkedHashMap<>();
        arms.put("DPO", m -> Dpo.of(m, reference(m)));
        arms.put("IPO", m -> Ipo.of(m, reference(m)));
        arms.put("SimPO", SimPo::of);
        arms.put("ORPO", m -> Orpo.of(m).lambda(1));
        Batches pairs = Batches.of(StoryPair.both(train)).grouped(2);
        Batches chosen = Batches.of(train.stream().map(StoryPair::chosen).toList());
        arm(trial, test, chosen, Objectives::nextToken, "cross-entropy", figures);
        arms.forEach((arm, objective) -> arm(trial, test, pairs, objective, arm, figures));
        Batches marked = Batches.of(StoryPair.marked(train, trial.seed())).grouped(2);
        arm(trial, test, marked, m -> Kto.of(m, reference(m)), "KTO", figures);
        figures(test, trial.model("stories260k"), "untouched", figures);
    }

    private static Reference reference(CausalLM model) {
        return Reference.of(Teacher.frozenCopy(model)).cached(new ScoreCache());
    }

    private static void arm(
            Trial trial,
            List<StoryPair> test,
            Batches data,
            Function<CausalLM, Objective<Batch>> objective,
            String arm,
            Recorder figures) {
        CausalLM model = trial.model("stories260k");
        new TextTraining(trial.steps(40), 4, 5e-4)
                .run(model, objective.apply(model), data, trial.seed());
        figures(test, model, arm, figures);
    }

    private static void figures(
            List<StoryPair> test, CausalLM model, String arm, Recorder figures) {
        List<TokenScore> chosen =
                TokenScore.of(model, test.stream().map(StoryPair::chosen).toList());
        double[] good = TokenScore.means(chosen, test.size());
        double[] bad =
                TokenScore.means(
                        TokenScore.of(model, test.stream().map(StoryPair::rejected).toList()),
                        test.size());
        double right = 0;
        double margin = 0;
        for (int i = 0; i < good.length; i++) {
            right += good[i] > bad[i] ? 1 : 0;
            margin += good[i] - bad[i];
        }
        figures.add(arm, ACCURACY, right / good.length);
        figures.add(arm, MARGIN, margin / good.length);
        figures.add(arm, LOSS, TokenScore.loss(chosen));
    }
}
