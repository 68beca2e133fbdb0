package io.github.panagrad.nn.optim;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.op.MaskedSgdStep;
import io.github.panagrad.engine.op.SgdStep;
import io.github.panagrad.engine.tape.Op;
import java.util.Collection;

/// Gradient descent with heavy-ball momentum: b ← μ·b + g + λ·w, w ← w − lr·b.
public final class Sgd extends Optimizer {
    private double momentum;

    private Sgd(Collection<Parameter> parameters) {
        super(parameters, 1e-2, 0, "momentum_buffer");
    }

    /// Creates an optimizer with lr 1e-2, no momentum and no weight decay.
    public static Sgd of(Collection<Parameter> parameters) {
        return new Sgd(parameters);
    }

    /// Sets the learning rate.
    public Sgd lr(double value) {
        setLr(value);
        return this;
    }

    /// Sets the weight decay λ, which is added to the gradient.
    public Sgd weightDecay(double value) {
        setWeightDecay(value);
        return this;
    }

    /// Sets μ, from 0 to below 1.
    public Sgd momentum(double value) {
        if (!(value >= 0 && value < 1)) {
            throw new PanagradException(
                    "sgd", "momentum out of range", "" + value, "0 to below 1", "");
        }
        momentum = value;
        return this;
    }

    /// Adds settings for some parameters; the last added group that covers one decides.
    ///
    /// @throws PanagradException if the group covers none
    public Sgd group(ParamGroup group) {
        addGroup(group);
        return this;
    }

    @Override
    protected Op dense(Settings settings, long step) {
        return step(settings);
    }

    @Override
    protected Op masked(Settings settings) {
        return new MaskedSgdStep(step(settings));
    }

    private SgdStep step(Settings settings) {
        return new SgdStep(settings.lr(), momentum, settings.weightDecay(), settings.gradScale());
    }
}
