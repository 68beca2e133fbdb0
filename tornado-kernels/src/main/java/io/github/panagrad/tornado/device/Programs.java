package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.LibraryTask1;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task4;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task5;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/// All programs of a device, in one execution plan with a task graph for each.
///
/// A graph of its own holds the device's arrays; the others take them over from it, so that they are
/// neither copied nor allocated twice. All programs are declared before the first is launched, since
/// a plan is made of all its graphs at once; each is compiled when it is first launched.
public final class Programs {
    private static final String HOLDER = "memory";
    static final String TASK = "t";

    /// Where a launch need not be waited for: what it sends is read, or copied, before it returns.
    private static final Set<TornadoVMBackendType> UNAWAITED =
            EnumSet.of(TornadoVMBackendType.CUDA, TornadoVMBackendType.OPENCL);

    private final TornadoDevice device;
    private final FloatArray floats;
    private final IntArray ints;
    private final KernelContext context = new KernelContext();
    private final List<Program> all = new ArrayList<>();
    private final GridScheduler holderGrid =
            new GridScheduler(HOLDER + "." + TASK, new WorkerGrid1D(1));
    private @Nullable TornadoExecutionPlan plan;
    private @Nullable TornadoExecutionResult held;
    private int compiled;
    private int plans;
    private int graphs;
    private long launches;
    private long arraysSent;

    Programs(TornadoDevice device, FloatArray floats, IntArray ints) {
        this.device = device;
        this.floats = floats;
        this.ints = ints;
    }

    /// Declares a program.
    ///
    /// @param name unique; messages and profiles show it
    /// @param local threads of a group
    /// @param code the kernel's method, whose name must not be a function of OpenCL's: the driver
    ///     would crash. Its arguments are the context, the device's floats and ints, and the launch's
    ///     ints and floats
    public Program add(
            String name,
            int local,
            Task5<KernelContext, FloatArray, IntArray, IntArray, FloatArray> code) {
        return add(
                name,
                local,
                Program.INTS,
                Program.FLOATS,
                List.of(),
                (program, graph) ->
                        graph.task(
                                TASK, code, context, floats, ints, program.ints, program.floats));
    }

    /// Declares a program whose launches have no floats, so that none are sent.
    ///
    /// @param code as that of other programs, without the launch's floats
    public Program add(
            String name, int local, Task4<KernelContext, FloatArray, IntArray, IntArray> code) {
        return add(
                name,
                local,
                Program.INTS,
                0,
                List.of(),
                (program, graph) -> graph.task(TASK, code, context, floats, ints, program.ints));
    }

    /// Declares a program that is also sent an array of floats at each launch, instead of a few.
    Program add(
            String name,
            int local,
            FloatArray sent,
            Task4<KernelContext, FloatArray, IntArray, FloatArray> code) {
        return add(
                name,
                local,
                Program.INTS,
                0,
                List.of(sent),
                (program, graph) -> graph.task(TASK, code, context, floats, program.ints, sent));
    }

    /// Declares a program that is also sent an array of ints at each launch.
    Program add(
            String name,
            int local,
            IntArray sent,
            Task4<KernelContext, IntArray, IntArray, IntArray> code) {
        return add(
                name,
                local,
                Program.INTS,
                0,
                List.of(sent),
                (program, graph) -> graph.task(TASK, code, context, ints, program.ints, sent));
    }

    /// Declares a program whose graph holds a further array of floats, allocated at its first launch.
    ///
    /// @param code reads and writes both the device's floats and these
    Program addOwner(
            String name,
            int local,
            FloatArray owned,
            Task4<KernelContext, FloatArray, FloatArray, IntArray> code) {
        return add(
                name,
                local,
                Program.INTS,
                0,
                List.of(),
                (program, graph) ->
                        graph.transferToDevice(DataTransferMode.UNDER_DEMAND, owned)
                                .task(TASK, code, context, floats, owned, program.ints)
                                .persistOnDevice(owned));
    }

    /// Declares a call of a library of the device's vendor: a program without a kernel, of one group.
    ///
    /// @param call describes the call, handed the device's floats, which it may read and write
    public Program addCall(String name, LibraryTask1<FloatArray> call) {
        return add(
                name,
                1,
                0,
                0,
                List.of(),
                (program, graph) -> graph.libraryTask(TASK, call, floats));
    }

    private synchronized Program add(
            String name,
            int local,
            int ints,
            int floats,
            List<TornadoNativeArray> sent,
            BiFunction<Program, TaskGraph, TaskGraph> task) {
        if (plan != null) {
            throw new IllegalStateException("program " + name + " declared after the first launch");
        }
        if (all.stream().anyMatch(other -> other.name.equals(name))) {
            throw new IllegalStateException("two programs are called " + name);
        }
        var program = new Program(this, all.size() + 1, name, local, ints, floats, sent, task);
        all.add(program);
        return program;
    }

    /// Returns how many programs have been compiled so far: flat once a training loop is warm.
    public synchronized int compiled() {
        return compiled;
    }

    /// Returns how many execution plans have been built so far: at most one.
    public synchronized int plans() {
        return plans;
    }

    /// Returns how many task graphs have been built so far: one for each program, one for the memory.
    public synchronized int graphs() {
        return graphs;
    }

    /// Returns how many launches there were.
    public synchronized long launches() {
        return launches;
    }

    /// Returns how many arrays launches have sent.
    synchronized long arraysSent() {
        return arraysSent;
    }

    synchronized TornadoExecutionResult launch(
            Program program, int number, int groups, int[] values, float[] reals) {
        if (reals.length > program.floats.getSize()) {
            throw new IllegalArgumentException(
                    "program %s takes %d floats, but was handed %d; declare it with a kernel that has them"
                            .formatted(program.name, program.floats.getSize(), reals.length));
        }
        for (int i = 0; i < values.length; i++) {
            program.ints.set(i, values[i]);
        }
        for (int i = 0; i < reals.length; i++) {
            program.floats.set(i, reals[i]);
        }
        program.grid.setGlobalWork((long) groups * program.local, 1, 1);
        TornadoExecutionPlan ready = plan();
        launches++;
        arraysSent += program.sent.length;
        if (!program.launched) {
            program.launched = true;
            compiled++;
        }
        return execute(ready, number, program.name, program.scheduler);
    }

    /// Copies a part of the device's arrays to the host, once all is done that was launched.
    synchronized void toHost(DataRange range) {
        plan().withGraph(0);
        Objects.requireNonNull(held).transferToHost(range);
    }

    private TornadoExecutionResult execute(
            TornadoExecutionPlan ready, int number, String name, @Nullable GridScheduler grid) {
        try {
            // A node of its own for each run: results would pile up on one that is kept. The run is
            // not one of the grid's node, which would write out all sizes for it.
            TornadoExecutionPlan selected = ready.withGraph(number);
            if (grid != null) {
                selected.withGridScheduler(grid);
            }
            return selected.execute();
        } catch (RuntimeException | Error failed) {
            throw failure(name, failed);
        }
    }

    private PanagradException failure(String name, Throwable failed) {
        return new PanagradException(
                "tornado: kernel '"
                        + name
                        + "' failed on "
                        + device.getPhysicalDevice().getDeviceName()
                        + ": "
                        + why(failed),
                failed);
    }

    private static String why(Throwable failed) {
        Throwable deepest = failed;
        while (deepest.getCause() != null && deepest.getCause() != deepest) {
            deepest = deepest.getCause();
        }
        String message = deepest.getMessage();
        return message == null || message.isBlank()
                ? deepest.getClass().getName()
                : message.strip();
    }

    private TornadoExecutionPlan plan() {
        TornadoExecutionPlan ready = plan;
        if (ready == null) {
            var built = new ArrayList<ImmutableTaskGraph>();
            var nothing = new IntArray(Program.INTS);
            built.add(
                    new TaskGraph(HOLDER)
                            .transferToDevice(DataTransferMode.UNDER_DEMAND, floats, ints)
                            .transferToDevice(DataTransferMode.EVERY_EXECUTION, nothing)
                            .task(TASK, Programs::kHold, context, floats, ints, nothing)
                            .persistOnDevice(floats, ints)
                            .snapshot());
            for (Program program : all) {
                TaskGraph graph =
                        new TaskGraph(program.name).consumeFromDevice(HOLDER, floats, ints);
                try {
                    built.add(program.complete(graph).snapshot());
                } catch (RuntimeException | Error failed) {
                    throw failure(program.name, failed);
                }
            }
            graphs += built.size();
            ready = new TornadoExecutionPlan(built.toArray(ImmutableTaskGraph[]::new));
            plans++;
            ready.withDevice(device);
            if (UNAWAITED.contains(device.getTornadoVMBackend())) {
                // With one task a graph nothing runs side by side; but no run is waited for.
                ready.withIntraPlanConcurrency();
            }
            plan = ready;
            held = execute(ready, 0, HOLDER, holderGrid);
        }
        return ready;
    }

    /// Reads and writes both arrays, so that they are allocated for both; never really.
    private static void kHold(
            KernelContext context, FloatArray floats, IntArray ints, IntArray launch) {
        if (launch.get(0) != 0) {
            floats.set(launch.get(1), floats.get(launch.get(2)));
            ints.set(launch.get(1), ints.get(launch.get(2)));
        }
    }
}
