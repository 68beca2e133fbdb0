package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.spectra.Spectra;
import io.github.panagrad.adapters.spectra.SpectraProbe;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Counts intruder dimensions while a run goes on, into a file of its own.
///
/// Decomposes the matrices of the model's blocks as they are when it is made: before what trains is
/// settled, and before a saved run is taken up again.
public final class SpectraWatch {
    /// What was seen, one object a line.
    public static final String FILE = "spectra.jsonl";

    private final Task<?> task;
    private final Spectra base;
    private final Map<String, Tensor> before;

    /// Looks at a task's model.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if it has no matrix
    public SpectraWatch(Task<?> task) {
        this.task = task;
        base = Spectra.of(task.selection().blocks(b -> true).where(e -> e.parameter().rank() == 2));
        before = Delta.snapshot(task.model());
    }

    /// Makes a trainer look after every `steps`-th step.
    ///
    /// @param adapter what trains, or null if the model itself does
    public <B> SpectraProbe attend(
            Trainer<B> trainer, long steps, @Nullable Adapter adapter, MetricsFile file) {
        var probe = new SpectraProbe(base, () -> adapter == null ? difference() : adapter.delta());
        probe.onPoint(point -> file.line(point.toJson())).on(trainer, steps);
        return probe;
    }

    private Delta difference() {
        Map<String, Tensor> now = task.model().stateDict();
        now.keySet().retainAll(before.keySet());
        return Delta.difference(before, now);
    }

    /// Opens the file for what is seen.
    ///
    /// @param resumed whether to write on behind what is there
    public static MetricsFile open(Path folder, boolean resumed) {
        return MetricsFile.open(folder.resolve(FILE), resumed);
    }

    /// Says in a line what was seen.
    public static String summary(List<SpectraProbe.Point> points) {
        if (points.isEmpty()) {
            return "intruder dimensions: not looked at, the run was shorter";
        }
        var text = new StringBuilder("intruder dimensions");
        for (SpectraProbe.Point p : points) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%s %d after step %d",
                            p == points.getFirst() ? ":" : ",",
                            p.intruders(),
                            p.step()));
        }
        return text + " (of " + points.getLast().looked() + ")";
    }
}
