package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.delta.AppliedDelta;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.spectra.ForgettingReport;
import io.github.panagrad.adapters.spectra.Spectra;
import io.github.panagrad.adapters.spectra.SpectraReport;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.drift.Drift;
import io.github.panagrad.nn.drift.Predictions;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Fine-tunes in full and by LoRA of several ranks to the same loss, counts the intruder dimensions of
/// each (arXiv 2410.21228), and scales those of the lowest rank down again.
///
/// @param texts what is learnt, and what was known
/// @param steps the most that an arm may take
/// @param goal the target loss at which it stops
public record IntruderDemo(TwoTexts texts, int steps, double goal) {
    private static final int K = 10;
    private static final double EPSILON = 0.5;
    private static final int LOOK = 5;
    private static final double[] LAMBDAS = {1, 0.75, 0.5, 0.25, 0};

    /// What came of an arm.
    ///
    /// @param name of the arm
    /// @param steps that it took
    /// @param report what it has given and taken
    public record Arm(String name, int steps, ForgettingReport report) {}

    /// What is left when intruders are scaled down.
    ///
    /// @param lambda what they were multiplied by
    /// @param target loss on what is learnt
    /// @param control loss on what was known
    public record Damped(double lambda, double target, double control) {}

    /// What came out.
    ///
    /// @param arms in full first
    /// @param damped of LoRA of rank 1
    public record Outcome(List<Arm> arms, List<Damped> damped) {}

    /// Trains all arms on the same data and seed.
    public Outcome run(long seed) {
        CausalLM base = texts.load();
        ParamSelection blocks =
                base.selection().blocks(b -> true).where(e -> e.parameter().rank() == 2);
        var spectra = Spectra.of(blocks);
        Map<String, Predictions> before =
                Map.of(
                        "target", Predictions.of(base, texts.heldOut(base)),
                        "control", Predictions.of(base, texts.known(base)));
        Map<String, Tensor> weights = Delta.snapshot(base);
        var arms = new ArrayList<Arm>();
        List<Damped> damped = List.of();
        for (Map.Entry<String, @Nullable Lora> method : methods(seed).entrySet()) {
            CausalLM model = texts.load();
            Lora lora = method.getValue();
            var adapter = lora == null ? null : lora.attach(model, "model.layers.**_proj");
            TradeOff curve =
                    texts.train(model, lora == null ? 5e-4 : 2e-3, steps, LOOK, goal, seed);
            Delta delta =
                    adapter == null
                            ? Delta.difference(weights, model.stateDict())
                            : adapter.delta();
            SpectraReport report = spectra.compare(delta, K, EPSILON);
            var drifts = new LinkedHashMap<String, Drift>();
            for (String name : List.of("target", "control")) {
                Predictions then = before.get(name);
                if (then != null) {
                    drifts.put(name, then.driftOf(model));
                }
            }
            int taken = (int) curve.points().getLast().at();
            arms.add(
                    new Arm(
                            method.getKey(),
                            taken,
                            ForgettingReport.of(drifts, weights, delta, base.selection(), report)));
            if (damped.isEmpty() && lora != null) {
                damped = damp(base, delta, report);
            }
        }
        return new Outcome(arms, damped);
    }

    private static Map<String, @Nullable Lora> methods(long seed) {
        var methods = new LinkedHashMap<String, @Nullable Lora>();
        methods.put("full", null);
        methods.put("LoRA r=1", Lora.rank(1).seed(seed));
        methods.put("LoRA r=8", Lora.rank(8).seed(seed));
        methods.put("LoRA r=64", Lora.rank(64).seed(seed));
        methods.put("rsLoRA r=64", Lora.rank(64).rankStabilized(true).seed(seed));
        methods.put("LoRA r=8 α=64", Lora.rank(8).alpha(64).seed(seed));
        return methods;
    }

    private List<Damped> damp(CausalLM base, Delta delta, SpectraReport report) {
        var rows = new ArrayList<Damped>();
        for (double lambda : LAMBDAS) {
            try (AppliedDelta _ = delta.plus(report.dampIntruders(lambda)).apply(base)) {
                rows.add(
                        new Damped(
                                lambda,
                                TwoTexts.loss(base, texts.heldOut(base)),
                                TwoTexts.loss(base, texts.known(base))));
            }
        }
        return rows;
    }

    /// Lays figures out as two tables.
    public static String table(Outcome outcome) {
        var text =
                new StringBuilder(
                        "arm             steps   target  control      KL  agree  intruders"
                                + "  stable rank  ‖ΔW‖/‖W‖\n");
        for (Arm arm : outcome.arms) {
            var target = arm.report.texts().get("target");
            var control = arm.report.texts().get("control");
            if (target != null && control != null) {
                text.append(
                        String.format(
                                Locale.ROOT,
                                "%-15s %5d %8.4f %8.4f %7.4f %6.3f %10d %12.2f %9.5f%n",
                                arm.name,
                                arm.steps,
                                target.after(),
                                control.after(),
                                control.divergence(),
                                control.agreement(),
                                arm.report.spectra().intruders(),
                                arm.report.spectra().meanStableRank(),
                                arm.report.relativeNorm()));
            }
        }
        text.append("\nintruders of LoRA r=1 times λ\n     λ   target  control\n");
        for (Damped d : outcome.damped) {
            text.append(
                    String.format(
                            Locale.ROOT, "%6.2f %8.4f %8.4f%n", d.lambda, d.target, d.control));
        }
        return text.append(verdict(outcome)).toString();
    }

    private static String verdict(Outcome outcome) {
        int full = outcome.arms.get(0).report.spectra().intruders();
        int low = outcome.arms.get(1).report.spectra().intruders();
        Damped all = outcome.damped.getFirst();
        boolean pays =
                outcome.damped.stream()
                        .anyMatch(d -> all.control - d.control > d.target - all.target);
        return "that LoRA of rank 1 has more intruders than full fine-tuning is "
                + shown(low > full)
                + "\nthat damping gives more on the control than it costs on the target is "
                + shown(pays)
                + "\n";
    }

    private static String shown(boolean claim) {
        return claim ? "shown" : "not shown at this scale";
    }
}
