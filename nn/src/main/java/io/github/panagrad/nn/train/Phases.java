package io.github.panagrad.nn.train;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Trainings one after the other, each with a trainer of its own: what trains, how long, and what is
/// done afterwards.
///
/// ```java
/// var start = RewindPoint.of(model.trainable());
/// Phases.inMemory()
///         .then(() -> Trainer.of(model, AdamW.of(all), objective).steps(200), data)
///         .then(() -> { start.rewind(); … }, data)
///         .run();
/// ```
///
/// With a folder, every phase has a file for its state there. A resumed list runs from its beginning,
/// and each phase goes on from where its file says, which for those that were done is their end: so
/// what lies between two phases, such as a rewinding, is done again on the same values, and need not
/// be saved.
public final class Phases {
    private final List<Phase<?>> phases = new ArrayList<>();
    private final @Nullable Path folder;
    private final long saveEvery;
    private final boolean resumed;

    private record Phase<B>(
            Supplier<Trainer<B>> setUp, BatchSource<B> source, Consumer<TrainingReport> end) {}

    private Phases(@Nullable Path folder, long saveEvery, boolean resumed) {
        this.folder = folder;
        this.saveEvery = saveEvery;
        this.resumed = resumed;
    }

    /// Starts a list whose state is not saved.
    public static Phases inMemory() {
        return new Phases(null, 0, false);
    }

    /// Starts a list that saves the state of every phase in a folder; files of an earlier list there
    /// are replaced.
    ///
    /// @param saveEvery steps from one saved state to the next; 0 for at the end of phases only, and
    ///     when stopped
    public static Phases saved(Path folder, long saveEvery) {
        return new Phases(folder, saveEvery, false);
    }

    /// Starts a list that goes on where one that was [#saved] stopped. The model has to be as it was
    /// before the first phase, and the phases the same.
    public static Phases resumed(Path folder, long saveEvery) {
        return new Phases(folder, saveEvery, true);
    }

    /// Tells whether a folder holds the state of a list that can be [#resumed].
    public static boolean isSaved(Path folder) {
        return Files.exists(resumed(folder, 0).file(0));
    }

    /// Adds a phase.
    ///
    /// @param setUp called when it is the phase's turn: settles what trains and from which values,
    ///     and makes the trainer
    public <B> Phases then(Supplier<Trainer<B>> setUp, BatchSource<B> source) {
        return then(setUp, source, report -> {});
    }

    /// Adds a phase with something to do after its last step.
    ///
    /// @param end called with how the phase ended, unless it was stopped
    public <B> Phases then(
            Supplier<Trainer<B>> setUp, BatchSource<B> source, Consumer<TrainingReport> end) {
        phases.add(new Phase<>(setUp, source, end));
        return this;
    }

    /// Trains phase after phase, and ends early if one is stopped.
    ///
    /// @return how the phases ended that were begun; the last one tells whether it was stopped
    /// @throws PanagradException if it is resumed where nothing was saved
    public List<TrainingReport> run() {
        if (folder != null && !resumed) {
            forget(folder);
        } else if (resumed && !Files.exists(file(0))) {
            throw new PanagradException(
                    "phases",
                    "nothing was saved to go on from",
                    file(0).toString(),
                    "the state of the first phase",
                    "begin without resuming");
        }
        var reports = new ArrayList<TrainingReport>();
        for (int i = 0; i < phases.size(); i++) {
            TrainingReport report = run(i, phases.get(i));
            reports.add(report);
            if (report.stopped()) {
                break;
            }
        }
        return reports;
    }

    private <B> TrainingReport run(int number, Phase<B> phase) {
        Trainer<B> trainer = phase.setUp.get();
        if (folder != null) {
            Path file = file(number);
            trainer.saveState(file, saveEvery);
            if (resumed && Files.exists(file)) {
                trainer.resume(file);
            }
        }
        TrainingReport report = trainer.run(phase.source);
        if (!report.stopped()) {
            phase.end.accept(report);
        }
        return report;
    }

    private Path file(int number) {
        String name = "phase-" + (number + 1) + ".safetensors";
        return folder == null ? Path.of(name) : folder.resolve(name);
    }

    /// Removes what a list has saved in a folder, so that none of its phases is taken for done.
    public static void forget(Path folder) {
        Phases saved = saved(folder, 0);
        for (int i = 0; Files.exists(saved.file(i)); i++) {
            try {
                Files.delete(saved.file(i));
            } catch (IOException e) {
                throw new PanagradException(
                        "phases: cannot replace " + saved.file(i) + ", " + e, e);
            }
        }
    }
}
