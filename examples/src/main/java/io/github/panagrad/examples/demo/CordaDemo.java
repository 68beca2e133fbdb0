package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Covariances;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.LoraInit;
import io.github.panagrad.adapters.delta.AppliedDelta;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.DenseDelta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Begins LoRA with components of the weights as seen through inputs (CorDA, arXiv 2406.05223), those of
/// the text to come or those that other text needs least, beside PiSSA and plain LoRA; and leaves the
/// least components of the weights out, chosen either way.
final class CordaDemo implements Demonstration {
    private static final String LORA = "LoRA";
    private static final String PREVIEWED = "CorDA, plays previewed";
    private static final String PRESERVED = "CorDA, stories preserved";
    private static final String PLAIN_SVD = "SVD of the weight";
    private static final String ORIENTED = "SVD seen through stories";
    private static final String EARLY = "plays after 20 steps";
    private static final String STORIES = "stories at equal loss";
    private static final String LINEARS = "model.layers.**_proj";
    private static final int RANK = 4;
    private static final int CALIBRATION = 256;
    private static final int LOOK = 5;
    private static final int[] CUT = {8, 24};

    @Override
    public String name() {
        return "corda";
    }

    @Override
    public List<String> shows() {
        return List.of("corda-ipm", "corda-kpm", "pissa");
    }

    @Override
    public String setting() {
        return "stories260k learns Shakespeare in 60 steps of 4 windows of 128 tokens by LoRA of rank"
                + " 4 (α 4) on all 35 matrices; inputs are those of 256 windows of plays, or of"
                + " stories. Stories are compared where the loss on plays is the lowest that all arms"
                + " reach. The last two arms train nothing: the least 8 or 24 components of each"
                + " matrix are left out, and the loss on other stories is measured.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower(PREVIEWED, EARLY, "previewing the plays learns them faster"),
                Claim.lower(PREVIEWED, EARLY, "and faster than PiSSA").against("PiSSA"),
                Claim.lower(PRESERVED, STORIES, "what keeps stories forgets them less"),
                Claim.lower(ORIENTED, without(8), "components seen through inputs matter less")
                        .against(PLAIN_SVD),
                Claim.lower(ORIENTED, without(24), "with 24 of them, too").against(PLAIN_SVD));
    }

    private static String without(int components) {
        return "stories without " + components;
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        TwoTexts texts = TwoTexts.of(trial);
        measure(texts, trial.rows(CALIBRATION), trial.steps(60), trial.seed(), figures);
    }

    /// Trains and cuts all arms.
    ///
    /// @param windows how many windows of each text inputs are collected on
    static void measure(TwoTexts texts, int windows, int steps, long seed, Recorder figures) {
        CausalLM base = texts.load();
        Covariances ofPlays = inputs(base, texts.training(), windows, seed);
        Covariances ofStories = inputs(base, texts.others(), windows, seed);
        Map<String, LoraInit> arms = new LinkedHashMap<>();
        arms.put(LORA, LoraInit.kaimingUniform());
        arms.put("PiSSA", LoraInit.pissa());
        arms.put(PREVIEWED, LoraInit.cordaInstructionPreviewed(ofPlays));
        arms.put(PRESERVED, LoraInit.cordaKnowledgePreserved(ofStories));
        Map<String, TradeOff> ways = new LinkedHashMap<>();
        arms.forEach((arm, init) -> {
            CausalLM model = texts.load();
            Lora.rank(RANK).alpha(RANK).init(init).seed(seed).attach(model, LINEARS);
            ways.put(arm, texts.train(model, 4e-3, steps, LOOK, 0, seed));
        });
        ways.put("full", texts.train(texts.load(), 2e-3, steps, LOOK, 0, seed));
        double common = TradeOff.reachedByAll(ways.values());
        ways.forEach((arm, way) -> {
            int early = Math.min(20 / LOOK, way.points().size() - 1);
            figures.add(arm, EARLY, way.points().get(early).target());
            figures.add(arm, "plays at the end", way.points().getLast().target());
            figures.add(arm, STORIES, way.controlAt(common).orElseThrow());
        });
        for (int count : CUT) {
            double plain = cut(texts, base, LoraInit.pissa(), count);
            figures.add(PLAIN_SVD, without(count), plain);
            LoraInit seen = LoraInit.cordaInstructionPreviewed(ofStories);
            figures.add(ORIENTED, without(count), cut(texts, base, seen, count));
        }
    }

    private static Covariances inputs(CausalLM model, List<Example> windows, int count, long seed) {
        var shuffled = new ArrayList<>(windows);
        Collections.shuffle(shuffled, new Random(seed));
        Batches some = Batches.of(shuffled.subList(0, Math.min(count, shuffled.size()))).size(8);
        return Covariances.collect(model, LINEARS, () -> some.forEach(model::hidden));
    }

    /// Leaves out the least components of all matrices and returns the loss on stories.
    ///
    /// @param components begins LoRA with the largest ones, which are those that stay
    private static double cut(TwoTexts texts, CausalLM model, LoraInit components, int count) {
        Map<String, TensorDelta> changes = new LinkedHashMap<>();
        model.layers(PathPattern.of(LINEARS), Linear.class)
                .forEach((path, linear) -> {
                    int kept = Math.min(linear.in(), linear.out()) - count;
                    var factors = components.factors(path, linear, kept, 1, Rng.of(0));
                    Tensor rest = factors.b().matmul(factors.a()).to(DType.F32);
                    Tensor change = rest.sub(linear.weight()).detach();
                    changes.put(path + ".weight", DenseDelta.of(change));
                });
        try (AppliedDelta _ = Delta.of(changes).apply(model)) {
            return TwoTexts.loss(model, texts.known());
        }
    }
}
