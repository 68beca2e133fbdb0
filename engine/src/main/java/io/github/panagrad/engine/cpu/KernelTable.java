package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.Unary;
import io.github.panagrad.engine.op.UnaryGrad;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Which kernel runs which op: by the op's class, and by whether the operands suit it.
final class KernelTable {
    private record Entry(Kernel<?> kernel, BiPredicate<Object, View[]> suits) {}

    private final Map<Class<?>, Entry> entries = new HashMap<>();
    private final Map<Class<?>, Entry> gradients = new HashMap<>();

    /// Registers a kernel that runs on any operands but F64 ones.
    <O> void add(Class<O> op, Kernel<? super O> kernel) {
        put(op, new Entry(kernel, (o, in) -> true));
    }

    /// Registers a kernel with a condition on the operands, none of which is F64.
    <O> void add(Class<O> op, Kernel<? super O> kernel, Predicate<View[]> suits) {
        put(op, new Entry(kernel, (o, in) -> suits.test(in)));
    }

    /// Registers a kernel with a condition on the op and its operands, none of which is F64.
    <O> void add(Class<O> op, Kernel<? super O> kernel, BiPredicate<O, View[]> suits) {
        put(op, new Entry(kernel, (o, in) -> suits.test(op.cast(o), in)));
    }

    private void put(Class<?> op, Entry entry) {
        if (entries.put(op, entry) != null) {
            throw new IllegalStateException("two kernels for " + op.getSimpleName());
        }
    }

    /// Registers the kernel for the gradient of an elementwise op of one operand.
    void addGradient(Class<? extends Unary> of, Kernel<UnaryGrad> kernel) {
        if (gradients.put(of, new Entry(kernel, (o, in) -> true)) != null) {
            throw new IllegalStateException("two gradient kernels for " + of.getSimpleName());
        }
    }

    @SuppressWarnings("unchecked")
    <O> @Nullable Kernel<O> find(O op, View[] in) {
        Entry entry =
                op instanceof UnaryGrad gradient
                        ? gradients.get(gradient.of().getClass())
                        : entries.get(op.getClass());
        if (entry == null) {
            return null;
        }
        for (View view : in) {
            if (view.dtype() == DType.F64) {
                return null;
            }
        }
        return entry.suits().test(op, in) ? (Kernel<O>) entry.kernel() : null;
    }
}
