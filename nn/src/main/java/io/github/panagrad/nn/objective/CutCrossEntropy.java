package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/// Predicts each next token with a gradient from which what is small is left out (Cut Cross-Entropy,
/// arXiv 2411.09009), and with what else the options say.
///
/// Reports the plain cross-entropy, the mean square of the log-sum-exps that z-loss holds down, and
/// the share of Σ|softmax − target| that the filter dropped; a share above one in a hundred is also
/// logged as a warning, once.
///
/// ```java
/// var objective = CutCrossEntropy.of(model, HeadOptions.CUT.zLoss(1e-4));
/// ```
public final class CutCrossEntropy implements Objective<Batch> {
    private static final System.Logger LOG = System.getLogger("io.github.panagrad");

    private final CausalLM model;
    private final HeadOptions options;
    private final AtomicBoolean warned = new AtomicBoolean();

    private CutCrossEntropy(CausalLM model, HeadOptions options) {
        this.model = model;
        this.options = options;
    }

    /// Creates the objective.
    ///
    /// @param options their ignored index must be [io.github.panagrad.nn.data.Example#IGNORED]
    public static CutCrossEntropy of(CausalLM model, HeadOptions options) {
        return new CutCrossEntropy(model, options);
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        Tensor hidden = model.hidden(batch, step.context());
        Tensor targets = Ops.indices(batch.targets(), batch.size(), batch.length());
        var out = Losses.linearCrossEntropy(hidden, model.head(), targets, options, Reduction.SUM);
        int count = batch.predicted();
        if (count == 0) {
            return LossTerm.of(out.loss(), 0);
        }
        Map<String, Double> report = new HashMap<>();
        report.put("ce", out.nll().sum().item() / count);
        report.put("lse2", out.lse().detach().square().sum().item() / count);
        if (options.filter().isOn()) {
            double dropped = out.dropped().item();
            report.put("dropped", dropped);
            warn(dropped, step.number());
        }
        return new LossTerm(out.loss(), count, count, report);
    }

    private void warn(double dropped, long step) {
        if (dropped > HeadFilter.LARGE_SHARE && warned.compareAndSet(false, true)) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the head''s filter dropped {0} % of the gradient in step {1}: a threshold of {2}"
                            + " is too high for a softmax this flat; lower it or switch it off",
                    Math.round(1000 * dropped) / 10.0,
                    step,
                    options.filter().threshold() == HeadFilter.AUTO
                            ? "auto"
                            : options.filter().threshold());
        }
    }
}
