package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/// An objective that keeps something else's memory beside its own.
record Remembering<B>(Objective<B> objective, String name, Memory memory) implements Objective<B> {
    @Override
    public LossTerm loss(B batch, Step step) {
        return objective.loss(batch, step);
    }

    @Override
    public boolean isAccumulationInvariant() {
        return objective.isAccumulationInvariant();
    }

    @Override
    public Map<String, Tensor> state() {
        var state = new LinkedHashMap<String, Tensor>(objective.state());
        memory.state().forEach((key, tensor) -> state.put(name + "/" + key, tensor));
        return state;
    }

    @Override
    public void load(Map<String, Tensor> state) {
        var own = new LinkedHashMap<String, Tensor>();
        var theirs = new LinkedHashMap<String, Tensor>();
        state.forEach((key, tensor) -> {
            if (key.startsWith(name + "/")) {
                theirs.put(key.substring(name.length() + 1), tensor);
            } else {
                own.put(key, tensor);
            }
        });
        objective.load(own);
        memory.load(theirs);
    }
}
