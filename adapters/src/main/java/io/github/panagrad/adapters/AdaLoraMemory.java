package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.train.Memory;
import java.util.LinkedHashMap;
import java.util.Map;

/// What an [AdaLora] adapter has to remember from step to step beside its parameters: how much its
/// directions matter and, once they are cut, which are left.
///
/// @param parts the adapter's parts by the paths of their layers
record AdaLoraMemory(Map<String, AdaLoraLayer> parts) implements Memory {
    private static final String LIVE = "live";

    @Override
    public Map<String, Tensor> state() {
        var state = new LinkedHashMap<String, Tensor>();
        parts.forEach((path, part) -> {
            if (part.isCut()) {
                state.put(path + "." + LIVE, live(part));
            } else {
                part.importance()
                        .state()
                        .forEach((name, tensor) -> state.put(path + "." + name, tensor));
            }
        });
        return state;
    }

    /// Returns 1 for the directions that are left and 0 for others. Shapes: → (r).
    private static Tensor live(AdaLoraLayer part) {
        boolean[] kept = part.live();
        float[] marks = new float[kept.length];
        for (int i = 0; i < kept.length; i++) {
            marks[i] = kept[i] ? 1 : 0;
        }
        return Ops.tensor(marks, marks.length);
    }

    @Override
    public void load(Map<String, Tensor> state) {
        parts.forEach((path, part) -> {
            var own = new LinkedHashMap<String, Tensor>();
            state.forEach((name, tensor) -> {
                if (name.startsWith(path + ".")) {
                    own.put(name.substring(path.length() + 1), tensor);
                }
            });
            Tensor live = own.get(LIVE);
            if (live == null) {
                part.importance().load(own);
            } else {
                cut(part, live);
            }
        });
    }

    private static void cut(AdaLoraLayer part, Tensor live) {
        if (live.size() != part.rank()) {
            throw new PanagradException(
                    "adalora",
                    "state of an adapter with other ranks",
                    live.size() + " directions",
                    "" + part.rank(),
                    "resume with the method that the run began with");
        }
        boolean[] kept = new boolean[part.rank()];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = live.at(i) != 0;
        }
        part.cut(kept);
    }
}
