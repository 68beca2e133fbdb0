package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.Unary;
import io.github.panagrad.engine.op.UnaryGrad;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/// Which kernel runs which op: by the op's class, and by whether the operands suit it.
public final class KernelTable {
    private record Entry(Kernel<?> kernel, BiPredicate<Object, View[]> suits) {}

    private final Map<Class<?>, Entry> entries = new HashMap<>();
    private final Map<Class<?>, Entry> gradients = new HashMap<>();

    private final PanagradDevice device;

    /// Makes an empty table for a device.
    public KernelTable(PanagradDevice device) {
        this.device = device;
    }

    /// Registers a kernel that runs on any operands that lie on the device.
    <O> void add(Class<O> op, Kernel<? super O> kernel) {
        put(entries, op, new Entry(kernel, (o, in) -> true));
    }

    /// Registers a kernel with a condition on the op and its operands, all of which lie on the
    /// device.
    <O> void add(Class<O> op, Kernel<? super O> kernel, BiPredicate<O, View[]> suits) {
        put(entries, op, new Entry(kernel, (o, in) -> suits.test(op.cast(o), in)));
    }

    /// Registers the kernel for the gradient of an elementwise op of one operand.
    void addGradient(Class<? extends Unary> of, Kernel<UnaryGrad> kernel) {
        put(gradients, of, new Entry(kernel, (o, in) -> floats(in)));
    }

    private static void put(Map<Class<?>, Entry> table, Class<?> op, Entry entry) {
        if (table.put(op, entry) != null) {
            throw new IllegalStateException("two kernels for " + op.getSimpleName());
        }
    }

    /// Tells whether an operand is F32, or BF16 or F16, of which a kernel is handed a widened copy unless it
    /// reads that itself.
    static boolean isReal(View view) {
        return view.dtype() == DType.F32 || Halves.code(view.dtype()) != 0;
    }

    /// Tells whether all operands are real numbers; see [#isReal].
    static boolean floats(View[] in) {
        for (View view : in) {
            if (!isReal(view)) {
                return false;
            }
        }
        return true;
    }

    /// Finds the kernel for an op, or null if there is none or an operand lies on the host.
    @SuppressWarnings("unchecked")
    public <O> @Nullable Kernel<O> find(O op, View[] in) {
        Entry entry =
                op instanceof UnaryGrad gradient
                        ? gradients.get(gradient.of().getClass())
                        : entries.get(op.getClass());
        if (entry == null) {
            return null;
        }
        for (View view : in) {
            if (!(view.storage() instanceof DeviceStorage)) {
                return null;
            }
        }
        return entry.suits().test(op, in) ? device.ready((Kernel<O>) entry.kernel()) : null;
    }
}
