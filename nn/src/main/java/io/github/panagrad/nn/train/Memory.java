package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.Map;

/// What has to go on from step to step beside parameters, such as averages or what is known of the
/// data; saved with the state of a run by [Objective#remembering].
public interface Memory {
    /// Returns what is remembered, by name.
    Map<String, Tensor> state();

    /// Takes over what [#state] returned when the run was saved.
    ///
    /// @throws PanagradException if it does not fit
    void load(Map<String, Tensor> state);
}
