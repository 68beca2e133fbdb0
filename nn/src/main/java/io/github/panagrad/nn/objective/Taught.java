package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.train.Objective;
import java.util.Map;

/// An objective with a teacher, whose weights are saved with the run.
interface Taught<B> extends Objective<B> {
    /// Returns the teacher.
    Teacher<?> teacher();

    @Override
    default Map<String, Tensor> state() {
        return teacher().state();
    }

    @Override
    default void load(Map<String, Tensor> state) {
        teacher().load(state);
    }
}
