package io.github.panagrad.tornado.device;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

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
    final IntArray ints;
    final FloatArray floats;

    /// What each launch sends.
    final Object[] sent;

    final WorkerGrid1D grid;

    /// Says how many groups there are; null for a call of a library, which has none.
    final @Nullable GridScheduler scheduler;

    private final BiFunction<Program, TaskGraph, TaskGraph> task;
    private final Programs owner;
    private final int number;
    boolean launched;

    /// @param ints how many a launch may hand over; 0 for a call of a library, which is not a kernel
    /// @param floats likewise; for 0, none are sent
    /// @param further what else each launch sends
    /// @param task adds the task to a graph that sends
    Program(
            Programs owner,
            int number,
            String name,
            int local,
            int ints,
            int floats,
            List<TornadoNativeArray> further,
            BiFunction<Program, TaskGraph, TaskGraph> task) {
        this.owner = owner;
        this.number = number;
        this.name = name;
        this.local = local;
        this.ints = new IntArray(ints);
        this.floats = new FloatArray(floats);
        this.task = task;
        var all = new ArrayList<TornadoNativeArray>();
        if (ints > 0) {
            all.add(this.ints);
        }
        if (floats > 0) {
            all.add(this.floats);
        }
        all.addAll(further);
        sent = all.toArray();
        grid = new WorkerGrid1D(local);
        grid.setLocalWork(local, 1, 1);
        scheduler = ints > 0 ? new GridScheduler(name + "." + Programs.TASK, grid) : null;
    }

    /// Completes a graph that has the device's arrays.
    TaskGraph complete(TaskGraph graph) {
        return task.apply(
                this,
                sent.length == 0
                        ? graph
                        : graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, sent));
    }

    /// Returns how many threads a group has.
    public int local() {
        return local;
    }

    /// Runs a thread for each of n elements, in whole groups: the code has to check the number. Does
    /// not wait for them.
    public void launch(int n, int[] ints, float... floats) {
        launchGroups((int) (((long) n + local - 1) / local), ints, floats);
    }

    /// Runs so many groups of threads, and returns what can copy its own arrays to the host.
    TornadoExecutionResult execute(int groups, int[] ints) {
        return owner.launch(this, number, groups, ints, new float[0]);
    }

    /// Runs so many groups of threads, none for 0; does not wait for them.
    public void launchGroups(int groups, int[] ints, float... floats) {
        if (groups > 0) {
            owner.launch(this, number, groups, ints, floats);
        }
    }
}
