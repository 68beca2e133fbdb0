package io.github.panagrad.nn.optim;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.tape.Op;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Changes parameters by their gradients. Remembers what it needs by parameter name.
///
/// A parameter without a gradient is left alone: no step, no decay.
public abstract class Optimizer {
    /// Entries of a parameter that one thread updates: about 10 microseconds.
    private static final int SMALL = 16384;

    /// Small parameters that a thread takes at a time: looking up a kernel costs half a microsecond
    /// each, handing over a loop about two.
    private static final int TOGETHER = 8;

    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final List<ParamGroup> groups = new ArrayList<>();
    private double lr;
    private double weightDecay;
    private double lrFactor = 1;
    private long steps;

    /// Settings that one parameter's step runs with.
    ///
    /// @param lr learning rate, the schedule's factor included
    /// @param weightDecay weight decay
    /// @param gradScale what the gradient is multiplied by first
    protected record Settings(double lr, double weightDecay, double gradScale) {}

    /// Creates an optimizer.
    ///
    /// @param stateNames what is remembered of each entry, such as `exp_avg`
    /// @throws PanagradException if there are no parameters, or two of one name
    protected Optimizer(
            Collection<Parameter> parameters, double lr, double weightDecay, String... stateNames) {
        if (parameters.isEmpty()) {
            throw new PanagradException(
                    "optimizer",
                    "no parameters",
                    "",
                    "at least one trainable parameter",
                    "are all of them frozen?");
        }
        for (Parameter p : parameters) {
            if (slots.put(p.name(), new Slot(p, List.of(stateNames))) != null) {
                throw new PanagradException(
                        "optimizer", "two parameters of one name", p.name(), "", "");
            }
        }
        this.lr = lr;
        this.weightDecay = weightDecay;
    }

    /// Returns the op of one step with dense state: inputs parameter, gradient, state; outputs
    /// parameter, state.
    ///
    /// @param step how many steps this parameter has taken, this one included
    protected abstract Op dense(Settings settings, long step);

    /// Returns the op of one step on some entries: inputs parameter, gradient, state, steps,
    /// entries; outputs parameter, state, steps.
    protected abstract Op masked(Settings settings);

    /// Sets the learning rate.
    final void setLr(double value) {
        ParamGroup.requireNotNegative("lr", value);
        lr = value;
    }

    /// Sets the weight decay.
    final void setWeightDecay(double value) {
        ParamGroup.requireNotNegative("weightDecay", value);
        weightDecay = value;
    }

    /// Adds a group; the last added one that covers a parameter decides.
    final void addGroup(ParamGroup group) {
        group.pattern().selectCovered(slots);
        groups.add(group);
    }

    /// Returns the learning rate of a step now: the set one times the schedule's factor.
    public final double lr() {
        return lr * lrFactor;
    }

    /// Sets the factor that all learning rates are multiplied by: what a [Schedule] gives.
    public final void lrFactor(double factor) {
        ParamGroup.requireNotNegative("lrFactor", factor);
        lrFactor = factor;
    }

    /// Returns the parameters in the order given.
    public final List<Parameter> parameters() {
        return slots.values().stream().map(slot -> slot.parameter).toList();
    }

    /// Returns how many steps were taken.
    public final long steps() {
        return steps;
    }

    /// Limits a parameter to some of its entries, from the next step on.
    ///
    /// Entries that were live before keep what is remembered of them, others start afresh with a
    /// step count of their own. State is kept for live entries only.
    ///
    /// @throws PanagradException if the parameter is not one of this optimizer's
    public final void mask(Parameter parameter, ParamMask mask) {
        Slot slot = slots.get(parameter.name());
        if (slot == null || slot.parameter != parameter) {
            throw new PanagradException(
                    "mask", "not a parameter of this optimizer", parameter.name(), "", "");
        }
        slot.mask(mask);
    }

    /// Returns how many numbers are remembered, step counts not included.
    public final long stateSize() {
        return slots.values().stream().mapToLong(Slot::stateSize).sum();
    }

    /// Changes the parameters by their gradients.
    public final void step(Grads grads) {
        step(grads, 1);
    }

    /// Changes the parameters by their gradients multiplied by a number, in the same pass.
    public final void step(Grads grads, double gradScale) {
        // The op of a large parameter shares its entries between the threads; small ones, which it
        // would not split, are shared out whole, all in one loop.
        var small = new ArrayList<Runnable>();
        for (Slot slot : slots.values()) {
            Parameter parameter = slot.parameter;
            grads.find(parameter)
                    .ifPresent(grad -> {
                        Settings settings = settings(slot.name, gradScale);
                        Op op =
                                slot.isMasked()
                                        ? masked(settings)
                                        : dense(settings, slot.nextStep());
                        if (parameter.size() <= SMALL && parameter.device().equals(Device.CPU)) {
                            small.add(() -> slot.apply(op, grad));
                        } else {
                            slot.apply(op, grad);
                        }
                    });
        }
        Parallel.forRange(
                small.size(),
                TOGETHER,
                (from, to) -> small.subList(from, to).forEach(Runnable::run));
        steps++;
    }

    private Settings settings(String name, double gradScale) {
        double rate = lr;
        double decay = weightDecay;
        for (ParamGroup group : groups) {
            if (group.pattern().covers(name)) {
                rate = group.lr().orElse(rate);
                decay = group.weightDecay().orElse(decay);
            }
        }
        return new Settings(rate * lrFactor, decay, gradScale);
    }

    /// Returns what is remembered, by `parameter/what`; the tensors are the optimizer's own.
    public final Map<String, Tensor> state() {
        var state = new LinkedHashMap<String, Tensor>();
        slots.values().forEach(slot -> state.putAll(slot.save()));
        return state;
    }

    /// Copies in what [#state] returned of an optimizer for the same parameters.
    ///
    /// @throws PanagradException if state is missing, left over or of another shape
    public final void load(Map<String, Tensor> state) {
        var rest = new LinkedHashMap<>(state);
        long most = 0;
        for (Slot slot : slots.values()) {
            slot.load(rest);
            most = Math.max(most, slot.nextStep() - 1);
        }
        if (!rest.isEmpty()) {
            throw new PanagradException(
                    "optimizer",
                    "state for what it does not train",
                    String.join(", ", rest.keySet().stream().limit(3).toList()),
                    "",
                    "does the state belong to the same model and optimizer?");
        }
        steps = most;
    }
}
