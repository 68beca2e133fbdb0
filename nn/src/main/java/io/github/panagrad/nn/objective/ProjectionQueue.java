package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.train.Memory;
import java.util.Arrays;
import java.util.Map;

/// The projections of the latest rows with their labels, as constants: further rows to be compared
/// with, so that rows of rare classes find others of theirs.
///
/// They were made with weights of some steps ago; keep it short. Source: in the manner of He et al.
/// 2020, Momentum Contrast, arXiv 1911.05722, without its second encoder.
public final class ProjectionQueue implements Memory {
    private static final String ROWS = "rows";
    private static final String LABELS = "labels";
    private static final String NEXT = "next";

    private final int capacity;
    private float[] rows = new float[0];
    private int[] labels = new int[0];
    private int next;

    /// Creates an empty queue.
    ///
    /// @param capacity how many rows it holds; then the oldest give way. 256 is ample
    public ProjectionQueue(int capacity) {
        if (capacity < 1) {
            throw new PanagradException(
                    "queue", "capacity is out of range", "" + capacity, "at least 1", "");
        }
        this.capacity = capacity;
    }

    /// Returns how many rows there are.
    public int size() {
        return labels.length;
    }

    /// Returns the labels of the rows.
    int[] labels() {
        return labels.clone();
    }

    /// Returns the rows, of the type and on the device of another tensor. Shapes: → (size, D).
    Tensor rows(Tensor like) {
        int width = rows.length / labels.length;
        return Ops.tensor(rows.clone(), labels.length, width).to(like.dtype()).to(like.device());
    }

    /// Takes rows in. Shapes: projections (N, D).
    void push(Tensor projections, int[] newLabels) {
        float[] values = projections.toFloats();
        int width = projections.dim(1);
        for (int i = 0; i < newLabels.length; i++) {
            if (labels.length < capacity) {
                labels = Arrays.copyOf(labels, labels.length + 1);
                rows = Arrays.copyOf(rows, rows.length + width);
            }
            labels[next] = newLabels[i];
            System.arraycopy(values, i * width, rows, next * width, width);
            next = (next + 1) % capacity;
        }
    }

    @Override
    public Map<String, Tensor> state() {
        if (labels.length == 0) {
            return Map.of();
        }
        return Map.of(
                ROWS,
                Ops.tensor(rows.clone(), rows.length),
                LABELS,
                Ops.indices(labels.clone(), labels.length),
                NEXT,
                Ops.indices(new int[] {next}, 1));
    }

    @Override
    public void load(Map<String, Tensor> state) {
        if (state.isEmpty()) {
            rows = new float[0];
            labels = new int[0];
            next = 0;
            return;
        }
        Tensor savedRows = state.get(ROWS);
        Tensor savedLabels = state.get(LABELS);
        Tensor savedNext = state.get(NEXT);
        if (savedRows == null
                || savedLabels == null
                || savedNext == null
                || savedLabels.size() > capacity
                || savedRows.size() % savedLabels.size() != 0) {
            throw new PanagradException(
                    "queue",
                    "state of another queue",
                    state.keySet().toString(),
                    "at most " + capacity + " rows with their labels",
                    "resume with the objective that the run began with");
        }
        rows = savedRows.toFloats();
        labels = savedLabels.toInts();
        next = savedNext.toInts()[0];
    }
}
