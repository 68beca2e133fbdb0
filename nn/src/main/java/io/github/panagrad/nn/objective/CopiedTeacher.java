package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.train.Step;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/// A teacher with its own copy of what the student trains; the student's parameters point to the
/// copies while it is asked.
final class CopiedTeacher<M extends Module> extends Teacher<M> {
    private static final String EPOCH = "epoch of the copy";

    private final int everyEpochs;
    private final double decay;
    private final Map<String, Copy> copies = new LinkedHashMap<>();
    private int epoch;
    private long averaged = 1;

    private record Copy(Parameter student, Parameter teacher) {}

    /// Copies what trains.
    ///
    /// @param everyEpochs after how many epochs to copy again, 0 for never
    /// @param decay of the moving average, 0 for none
    CopiedTeacher(M student, int everyEpochs, double decay) {
        super(student);
        this.everyEpochs = everyEpochs;
        this.decay = decay;
        student.parameters()
                .forEach((path, p) -> {
                    if (p.isTrainable()) {
                        var copy = new Parameter("teacher." + path, p.detach().copy());
                        copies.put(path, new Copy(p, copy.trainable(false)));
                    }
                });
    }

    @Override
    public boolean isFixed() {
        return everyEpochs == 0 && decay == 0;
    }

    @Override
    void prepare(Step step) {
        if (everyEpochs > 0 && step.epoch() / everyEpochs > epoch / everyEpochs) {
            copies.values().forEach(c -> c.teacher.assign(c.student));
            epoch = step.epoch();
        }
        // Before the first step there is nothing to follow; the batches of a step count once.
        if (decay > 0 && step.number() > averaged) {
            copies.values().forEach(this::follow);
            averaged = step.number();
        }
    }

    private void follow(Copy copy) {
        Ops.scope(() ->
                copy.teacher.assign(
                        Ops.noGrad(() ->
                                copy.teacher
                                        .mul(decay)
                                        .add(copy.student.detach().mul(1 - decay)))));
    }

    @Override
    <T> T answer(Supplier<T> question) {
        var lent = new LinkedHashMap<Parameter, Tensor>();
        copies.values().forEach(c -> lent.put(c.student, c.teacher));
        for (Parameter p : model().trainable()) {
            if (!lent.containsKey(p)) {
                throw new PanagradException(
                        "teacher",
                        "a parameter trains that was not copied",
                        p.name(),
                        "",
                        "make the teacher when it is settled what trains");
            }
        }
        copies.values().forEach(CopiedTeacher::requireSame);
        return Parameter.lend(lent, question);
    }

    private static void requireSame(Copy c) {
        if (!c.student.spec().equals(c.teacher.spec())
                || !c.student.device().equals(c.teacher.device())) {
            throw new PanagradException(
                    "teacher",
                    "the student was converted or moved: " + c.student.name(),
                    c.student.spec() + " on " + c.student.device(),
                    c.teacher.spec() + " on " + c.teacher.device(),
                    "make the teacher afterwards");
        }
    }

    @Override
    public Map<String, Tensor> state() {
        var state = new LinkedHashMap<String, Tensor>();
        copies.forEach((path, copy) -> state.put(path, copy.teacher));
        state.put(EPOCH, Ops.indices(new int[] {epoch}, 1));
        return state;
    }

    @Override
    public void load(Map<String, Tensor> state) {
        Tensor stored = state.get(EPOCH);
        if (stored == null || state.size() != copies.size() + 1) {
            throw unfit(state.size() + " tensors");
        }
        copies.forEach((path, copy) -> {
            Tensor values = state.get(path);
            if (values == null || !values.shape().equals(copy.teacher.shape())) {
                throw unfit(path + ": " + (values == null ? "none" : values.spec().toString()));
            }
        });
        copies.forEach((path, copy) -> {
            Tensor values = state.get(path);
            if (values != null) {
                copy.teacher.assign(values);
            }
        });
        epoch = stored.toInts()[0];
    }

    private PanagradException unfit(String got) {
        return new PanagradException(
                "teacher",
                "the state is not its own",
                got,
                "an epoch and " + copies.size() + " parameters",
                "resume with the model and teacher that the run began with");
    }
}
