package io.github.panagrad.nn.optim;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.Cast;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Tape;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One parameter and what an optimizer remembers of it.
///
/// Dense at first: tensors of the parameter's shape and one step count. Once masked, vectors with
/// one entry for each live one, which counts its own steps.
final class Slot {
    private static final String STEP = "step";
    private static final String STEPS = "steps";
    private static final String ENTRIES = "entries";

    final Parameter parameter;
    final String name;
    private final List<String> stateNames;
    private @Nullable Tensor[] state;
    private long step;
    private @Nullable Tensor entries;
    private @Nullable Tensor steps;

    Slot(Parameter parameter, List<String> stateNames) {
        this.parameter = parameter;
        this.name = parameter.name();
        this.stateNames = stateNames;
        this.state = new Tensor[stateNames.size()];
    }

    boolean isMasked() {
        return entries != null;
    }

    long nextStep() {
        return step + 1;
    }

    /// Returns how many numbers are remembered, step counts not included.
    long stateSize() {
        long size = 0;
        for (Tensor t : state) {
            size += t == null ? 0 : t.size();
        }
        return size;
    }

    /// Applies one step to the parameter and the state.
    void apply(Op op, Tensor grad) {
        int n = state.length;
        boolean masked = entries != null;
        Tensor[] in = new Tensor[masked ? n + 4 : n + 2];
        Tensor[] out = new Tensor[masked ? n + 1 : n];
        in[0] = parameter;
        in[1] = grad;
        for (int i = 0; i < n; i++) {
            in[2 + i] = out[i] = stateTensor(i);
        }
        if (entries != null && steps != null) {
            if (entries.size() == 0) {
                return;
            }
            in[n + 2] = out[n] = steps;
            in[n + 3] = entries;
        }
        parameter.update(op, in, out);
        step++;
    }

    private Tensor stateTensor(int i) {
        Tensor have = state[i];
        if (have == null) {
            have = fresh(parameter.dtype(), parameter.shape());
            state[i] = have;
        }
        return have;
    }

    private Tensor fresh(DType dtype, Shape shape) {
        return Ops.zeros(dtype, shape).to(parameter.device()).keep();
    }

    /// Changes which entries are live. Those that stay keep their state, new ones start afresh.
    ///
    /// A mask of all entries leaves dense state dense, and makes it so where no entry was live: the
    /// steps are then those of a run without a mask, bit for bit.
    void mask(ParamMask mask) {
        mask.requireWithin(name, parameter.size());
        if (mask.count() == parameter.size() && (entries == null || entries.size() == 0)) {
            if (entries != null) {
                forget();
            }
            return;
        }
        int[] live = mask.entries();
        int[] before = entries == null ? null : entries.toInts();
        int[] stepsBefore = steps == null ? null : steps.toInts();
        int[] from = new int[live.length];
        int[] newSteps = new int[live.length];
        for (int k = 0; k < live.length; k++) {
            from[k] = before == null ? live[k] : Arrays.binarySearch(before, live[k]);
            if (from[k] >= 0) {
                newSteps[k] = stepsBefore == null ? Math.toIntExact(step) : stepsBefore[from[k]];
            }
        }
        for (int i = 0; i < state.length; i++) {
            state[i] = picked(state[i], from);
        }
        entries = Ops.indices(live, live.length).to(parameter.device()).keep();
        steps = Ops.indices(newSteps, live.length).to(parameter.device()).keep();
    }

    /// Makes the state dense, that of a parameter without a step.
    private void forget() {
        entries = null;
        steps = null;
        step = 0;
        Arrays.fill(state, null);
    }

    private Tensor picked(@Nullable Tensor old, int[] from) {
        double[] kept = new double[from.length];
        if (old != null) {
            double[] values = old.toDoubles();
            for (int k = 0; k < from.length; k++) {
                kept[k] = from[k] >= 0 ? values[from[k]] : 0;
            }
        }
        Tensor compact = Ops.tensor64(kept, from.length).to(parameter.dtype());
        return compact.to(parameter.device()).keep();
    }

    /// Returns the state by `parameter/what`.
    Map<String, Tensor> save() {
        var saved = new LinkedHashMap<String, Tensor>();
        for (int i = 0; i < state.length; i++) {
            Tensor t = state[i];
            if (t != null) {
                saved.put(key(stateNames.get(i)), t);
            }
        }
        saved.put(key(STEP), number(step));
        if (entries != null && steps != null) {
            saved.put(key(ENTRIES), entries);
            saved.put(key(STEPS), steps);
        }
        return saved;
    }

    private static Tensor number(long value) {
        Tensor t = Ops.zeros(DType.I64, Shape.SCALAR);
        t.storage().setLong(0, value);
        return t;
    }

    /// Takes the state over from what [#save] returned, and removes it from there.
    void load(Map<String, Tensor> saved) {
        Tensor count = saved.remove(key(STEP));
        if (count == null) {
            throw new PanagradException(
                    "optimizer",
                    "no state for parameter " + name,
                    "",
                    key(STEP),
                    "does the state belong to the same model and optimizer?");
        }
        step = count.view().getLong(0);
        Tensor live = saved.remove(key(ENTRIES));
        Tensor liveSteps = saved.remove(key(STEPS));
        entries = live == null ? null : copied(live);
        steps = liveSteps == null ? null : copied(liveSteps);
        Shape shape = live == null ? parameter.shape() : live.shape();
        for (int i = 0; i < state.length; i++) {
            Tensor t = saved.remove(key(stateNames.get(i)));
            if (t != null && !t.shape().equals(shape)) {
                throw new PanagradException(
                        "optimizer",
                        "state of parameter " + name + " has another shape",
                        t.shape().toString(),
                        shape.toString(),
                        "does the state belong to the same model?");
            }
            state[i] = t == null ? null : copied(t);
        }
    }

    private Tensor copied(Tensor t) {
        DType dtype = t.dtype().isFloating() ? parameter.dtype() : t.dtype();
        return Tape.one(new Cast(dtype), t.detach()).to(parameter.device()).keep();
    }

    private String key(String what) {
        return name + "/" + what;
    }
}
