package io.github.panagrad.nn.optim;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.op.AdamWStep;
import io.github.panagrad.engine.op.MaskedAdamWStep;
import io.github.panagrad.engine.tape.Op;
import java.util.Collection;

/// Adam with decoupled weight decay and bias correction (Loshchilov, Hutter, arXiv 1711.05101).
///
/// ```java
/// var optimizer = AdamW.of(model.trainable()).lr(2e-4).weightDecay(0.01);
/// ```
public final class AdamW extends Optimizer {
    private double beta1 = 0.9;
    private double beta2 = 0.999;
    private double eps = 1e-8;

    private AdamW(Collection<Parameter> parameters) {
        super(parameters, 1e-3, 0.01, "exp_avg", "exp_avg_sq");
    }

    /// Creates an optimizer with lr 1e-3, weight decay 0.01, betas 0.9 and 0.999, eps 1e-8.
    public static AdamW of(Collection<Parameter> parameters) {
        return new AdamW(parameters);
    }

    /// Sets the learning rate.
    public AdamW lr(double value) {
        setLr(value);
        return this;
    }

    /// Sets the weight decay, which the learning rate multiplies.
    public AdamW weightDecay(double value) {
        setWeightDecay(value);
        return this;
    }

    /// Sets the decays of the moments, both from 0 to below 1.
    public AdamW betas(double first, double second) {
        if (!(first >= 0 && first < 1 && second >= 0 && second < 1)) {
            throw new PanagradException(
                    "adamW", "betas out of range", first + ", " + second, "0 to below 1", "");
        }
        beta1 = first;
        beta2 = second;
        return this;
    }

    /// Sets what is added to the root of the second moment.
    public AdamW eps(double value) {
        ParamGroup.requireNotNegative("eps", value);
        eps = value;
        return this;
    }

    /// Adds settings for some parameters; the last added group that covers one decides.
    ///
    /// @throws PanagradException if the group covers none
    public AdamW group(ParamGroup group) {
        addGroup(group);
        return this;
    }

    @Override
    protected Op dense(Settings settings, long step) {
        return step(settings, step);
    }

    @Override
    protected Op masked(Settings settings) {
        return new MaskedAdamWStep(step(settings, 1));
    }

    private AdamWStep step(Settings settings, long step) {
        return new AdamWStep(
                settings.lr(),
                beta1,
                beta2,
                eps,
                settings.weightDecay(),
                step,
                settings.gradScale());
    }
}
