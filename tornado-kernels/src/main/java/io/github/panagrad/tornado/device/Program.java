package io.github.panagrad.tornado.device;

import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// A kernel as TornadoVM compiles it: once, at its first launch, for all operands.
///
/// Its code reads where operands lie, and every number that varies, from two small arrays; anything
/// else would be compiled in as a constant.
public final class Program {
    /// Integers that a launch may hand over.
    public static final int INTS = 64;

    /// Floats that a launch may hand over.
    public static final int FLOATS = 16;

    final String name;
    final int local;
    final IntArray ints = new IntArray(INTS);
    final FloatArray floats = new FloatArray(FLOATS);
    final WorkerGrid1D grid;
    final UnaryOperator<TaskGraph> task;
    private final Programs owner;
    private final int number;
    boolean launched;

    /// @param task adds the arrays that each launch sends, and the task, to a graph
    Program(
            Programs owner,
            int number,
            String name,
            int local,
            BiFunction<Program, TaskGraph, TaskGraph> task) {
        this.owner = owner;
        this.number = number;
        this.name = name;
        this.local = local;
        this.task = graph -> task.apply(this, graph);
        grid = new WorkerGrid1D(local);
        grid.setLocalWork(local, 1, 1);
    }

    /// Returns how many threads a group has.
    public int local() {
        return local;
    }

    /// Runs a thread for each of n elements, in whole groups: the code has to check the number.
    public void launch(int n, int[] ints, float... floats) {
        launchGroups((int) (((long) n + local - 1) / local), ints, floats);
    }

    /// Runs so many groups of threads, and returns what can copy its own arrays to the host.
    TornadoExecutionResult execute(int groups, int[] ints) {
        return owner.launch(this, number, groups, ints, new float[0]);
    }

    /// Runs so many groups of threads, and returns when they are done; none for 0.
    public void launchGroups(int groups, int[] ints, float... floats) {
        if (groups > 0) {
            owner.launch(this, number, groups, ints, floats);
        }
    }
}
