package io.github.panagrad.examples.demo;

import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.metrics.Ranking;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Poft;
import io.github.panagrad.nn.train.Objectives;
import java.util.Arrays;
import java.util.List;

/// Learns answers of which some are wrong, weighed by what a model finds of them that has learnt right
/// ones: preference-oriented tuning beside cross-entropy.
final class PoftDemo implements Demonstration {
    private static final String MODEL = "stories260k";
    private static final String LOSS = "clean held-out loss";
    private static final String AUROC = "AUROC of τ";
    private static final int LONGEST = 160;
    private static final int ROWS = 100;
    private static final int TESTED = 40;
    private static final double CORRUPTED = 0.3;

    @Override
    public String name() {
        return "poft";
    }

    @Override
    public List<String> shows() {
        return List.of("Poft");
    }

    @Override
    public String setting() {
        return "stories260k on instructions of Alpaca that take at most 160 tokens. The reference"
                + " learns 100 of them for 60 steps of 6; the target 100 others for as long, of which"
                + " 30 % have another row's answer or one with half its characters at random. τ ="
                + " σ(r̄ − r) of the trained target, a right row's being the higher.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower("PoFT", LOSS, "right answers are learnt better among wrong ones"),
                Claim.higher("PoFT", AUROC, "τ tells wrong rows from right ones better"));
    }

    @Override
    public int usualSeeds() {
        return 3;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        Tokenizer tokenizer = trial.model(MODEL).tokenizer();
        Instructions all =
                Instructions.read(trial.path("datasets/alpaca/alpaca_en_demo.json"))
                        .within(tokenizer, LONGEST);
        int count = trial.rows(ROWS);
        List<Example> test = all.part(0, trial.rows(TESTED)).encode(tokenizer);
        Instructions known = all.part(TESTED, TESTED + count);
        boolean[] wrong = Instructions.wrong(count, CORRUPTED, trial.seed());
        List<Example> train =
                all.part(TESTED + count, TESTED + 2 * count)
                        .corrupted(wrong, trial.seed())
                        .encode(tokenizer);

        CausalLM reference = trial.model(MODEL);
        TextTraining training = new TextTraining(trial.steps(60), 6, 2e-3);
        Batches clean = Batches.of(known.encode(tokenizer));
        training.run(reference, Objectives.nextToken(reference), clean, trial.seed());
        double[] theirs = TokenScore.means(TokenScore.of(reference, train), count);

        CausalLM plain = trial.model(MODEL);
        training.run(plain, Objectives.nextToken(plain), Batches.of(train), trial.seed());
        figures("cross-entropy", plain, train, test, theirs, wrong, figures);
        CausalLM weighed = trial.model(MODEL);
        training.run(weighed, new Poft(weighed, theirs), Batches.of(train), trial.seed());
        figures("PoFT", weighed, train, test, theirs, wrong, figures);
    }

    private static void figures(
            String arm,
            CausalLM model,
            List<Example> train,
            List<Example> test,
            double[] theirs,
            boolean[] wrong,
            Recorder figures) {
        figures.add(arm, LOSS, TokenScore.loss(TokenScore.of(model, test)));
        double[] mine = TokenScore.means(TokenScore.of(model, train), train.size());
        double[] behind = new double[mine.length];
        // σ keeps the order.
        Arrays.setAll(behind, i -> mine[i] - theirs[i]);
        figures.add(arm, AUROC, Ranking.auroc(behind, wrong));
    }
}
