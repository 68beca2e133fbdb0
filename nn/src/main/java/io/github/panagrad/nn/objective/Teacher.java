package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.train.Step;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/// A model that another one is compared with: its own past, a moving average of it, itself without an
/// adapter, or another model.
///
/// No gradient reaches a teacher. Those that are made of the student share what does not train with
/// it and copy the rest; the student is the teacher while it is asked, so that one thread asks at a
/// time.
///
/// ```java
/// Teacher<CausalLM> before = Teacher.frozenCopy(model);
/// Tensor hidden = before.ask(step, teacher -> teacher.hidden(batch));
/// ```
///
/// @param <M> the class of the model
public abstract class Teacher<M extends Module> {
    private final M model;

    Teacher(M model) {
        this.model = model;
    }

    /// Switches an adapter on and off: `adapter::enabled`.
    @FunctionalInterface
    public interface Switch {
        /// Lets the adapter work, or not.
        void enabled(boolean on);
    }

    /// Takes another model as the teacher, with the weights that it has when it is asked.
    public static <M extends Module> Teacher<M> of(M other) {
        return new Teacher<>(other) {};
    }

    /// Keeps the student as it is now.
    ///
    /// Made when it is settled which parameters train, of what type and where; these are copied.
    public static <M extends Module> Teacher<M> frozenCopy(M student) {
        return new CopiedTeacher<>(student, 0, 0);
    }

    /// Keeps the student as it is now, and from then on as it is at the start of every `epochs`-th
    /// pass over the data.
    ///
    /// Source: born-again generations, as in Casimiro et al. 2023, arXiv 2309.17134, section 3.
    ///
    /// @param epochs 1 or more
    public static <M extends Module> Teacher<M> snapshotEach(M student, int epochs) {
        if (epochs < 1) {
            throw new PanagradException(
                    "teacher", "epochs are out of range", "" + epochs, "1 or more", "");
        }
        return new CopiedTeacher<>(student, epochs, 0);
    }

    /// Follows the student by a moving average over steps, w ← d·w + (1 − d)·student.
    ///
    /// Source: Tarvainen and Valpola 2017, Mean teachers, arXiv 1703.01780, section 2.
    ///
    /// @param decay d, above 0 and below 1; 0.999 is common
    public static <M extends Module> Teacher<M> ema(M student, double decay) {
        if (!(decay > 0 && decay < 1)) {
            throw new PanagradException(
                    "teacher", "decay is out of range", "" + decay, "above 0, below 1", "");
        }
        return new CopiedTeacher<>(student, 0, decay);
    }

    /// Takes the student without its adapter, which costs no memory; the adapter is on otherwise.
    public static <M extends Module> Teacher<M> adapterOff(M student, Switch adapter) {
        return new Teacher<>(student) {
            @Override
            <T> T answer(Supplier<T> question) {
                adapter.enabled(false);
                try {
                    return question.get();
                } finally {
                    adapter.enabled(true);
                }
            }
        };
    }

    /// Asks the teacher: nothing is recorded, and the model is out of training mode.
    ///
    /// @param step where training stands, by which a teacher may renew itself first
    /// @param question what to do with the model; parameters it returns have to be detached, as
    ///     they are the student's afterwards
    public final <T> T ask(Step step, Function<M, T> question) {
        prepare(step);
        boolean training = model.isTraining();
        model.training(false);
        try {
            return answer(() -> Ops.noGrad(() -> question.apply(model)));
        } finally {
            model.training(training);
        }
    }

    /// Tells whether the teacher always answers the same, so that its answers may be kept.
    public boolean isFixed() {
        return true;
    }

    /// Returns the weights that are the teacher's own, for the state of a run.
    public Map<String, Tensor> state() {
        return Map.of();
    }

    /// Takes over what [#state] returned.
    ///
    /// @throws PanagradException if it is that of another teacher
    public void load(Map<String, Tensor> state) {
        if (!state.isEmpty()) {
            throw new PanagradException(
                    "teacher",
                    "has no weights of its own",
                    state.size() + " tensors",
                    "none",
                    "resume with the teacher that the run began with");
        }
    }

    void prepare(Step step) {}

    /// Lets the model be the teacher for the time of a question.
    <T> T answer(Supplier<T> question) {
        return question.get();
    }

    final M model() {
        return model;
    }
}
