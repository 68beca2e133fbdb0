package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Attachment;
import java.util.LinkedHashMap;
import java.util.Map;

/// A delta that is on a model. Subtracting it again would not give the old bits, since (w + d) − d is
/// rounded twice: the old memory is kept instead.
public final class AppliedDelta implements Attachment {
    private final Map<Parameter, State> states = new LinkedHashMap<>();

    /// A parameter's memory before, whether it trained, and its memory with the change.
    private record State(Tensor before, boolean trained, Tensor changed) {}

    private AppliedDelta() {}

    static AppliedDelta apply(Map<Parameter, TensorDelta> targets) {
        var applied = new AppliedDelta();
        try {
            targets.forEach(applied::put);
        } catch (RuntimeException e) {
            applied.revert();
            throw e;
        }
        return applied;
    }

    private void put(Parameter parameter, TensorDelta delta) {
        Tensor before = parameter.detach();
        Tensor changed =
                HostTensors.kept(() -> {
                    DType wide = before.dtype().widened();
                    Tensor w = before.to(wide);
                    Tensor d = delta.dense().to(wide).to(before.device());
                    return Ops.where(d.eq(0), w, w.add(d));
                });
        states.put(parameter, new State(before, parameter.isTrainable(), changed));
        parameter.replace(changed);
    }

    /// Gives the parameters the memory back that they had before, with its values and dtype; what
    /// has been trained since is lost. A second call does nothing.
    ///
    /// @throws PanagradException if something else has been put in the place of a parameter since;
    ///     nothing has been changed then
    public void revert() {
        states.forEach((parameter, state) -> {
            if (parameter.storage() != state.changed.storage()) {
                throw new PanagradException(
                        "revert delta",
                        "other weights were put in the place of its own since",
                        parameter.name(),
                        "",
                        "revert what was applied later first");
            }
        });
        states.forEach((parameter, state) -> {
            parameter.replace(state.before);
            parameter.trainable(state.trained);
        });
        states.clear();
    }

    /// Reverts.
    @Override
    public void close() {
        revert();
    }
}
