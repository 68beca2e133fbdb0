package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.Storage;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A stretch of work whose intermediate tensors give their memory back when it ends.
///
/// What the body returns survives (tensors, arrays, collections and maps of them, and [Holder]s),
/// and so does what [Tensor#keep] was called on and what a recorded node has saved for backward.
/// Without any scope the collector does the work.
public final class Scope {
    private static final ScopedValue<Scope> CURRENT = ScopedValue.newInstance();

    private final String name;
    private final @Nullable Scope parent;
    private final Set<Storage> owned = Collections.newSetFromMap(new IdentityHashMap<>());

    private Scope(String name, @Nullable Scope parent) {
        this.name = name;
        this.parent = parent;
    }

    /// A result that carries tensors, which then outlive the scope.
    public interface Holder {
        /// Calls `visitor` with every tensor held.
        void forEachTensor(Consumer<Tensor> visitor);
    }

    /// Runs `body` in a scope of its own and returns its result.
    ///
    /// @param name named in the error of whoever uses a tensor after its release
    public static <T extends @Nullable Object> T scope(String name, Supplier<T> body) {
        Scope scope = new Scope(name, current());
        T result;
        try {
            result = ScopedValue.where(CURRENT, scope).call(body::get);
        } catch (Throwable t) {
            scope.close(Set.of());
            throw t;
        }
        Set<Storage> surviving = Collections.newSetFromMap(new IdentityHashMap<>());
        collect(result, t -> surviving.add(t.storage()));
        scope.close(surviving);
        return result;
    }

    private static @Nullable Scope current() {
        return CURRENT.isBound() ? CURRENT.get() : null;
    }

    /// Hands fresh storage to the innermost scope, if there is one. For backends and ops.
    public static void register(Storage storage) {
        Scope scope = current();
        if (scope != null) {
            scope.owned.add(storage);
        }
    }

    /// Takes storage out of all open scopes: it lives until the collector finds it.
    static void keep(Storage storage) {
        for (Scope scope = current(); scope != null; scope = scope.parent) {
            scope.owned.remove(storage);
        }
    }

    /// Tells whether the innermost scope owns this storage. For the backward walk.
    public static boolean owns(Storage storage) {
        Scope scope = current();
        return scope != null && scope.owned.contains(storage);
    }

    /// Releases storage of the innermost scope before the scope ends. For the backward walk.
    public static void releaseEarly(Storage storage, String by) {
        Scope scope = current();
        if (scope != null && scope.owned.remove(storage)) {
            storage.release(by);
        }
    }

    private void close(Set<Storage> surviving) {
        String by = "scope '" + name + "'";
        for (Storage storage : owned) {
            if (!surviving.contains(storage)) {
                storage.release(by);
            } else if (parent != null) {
                parent.owned.add(storage);
            }
        }
        owned.clear();
    }

    private static void collect(@Nullable Object result, Consumer<Tensor> visitor) {
        switch (result) {
            case null -> {}
            case Tensor t -> visitor.accept(t);
            case Holder h -> h.forEachTensor(visitor);
            case Object[] many -> {
                for (Object one : many) {
                    collect(one, visitor);
                }
            }
            case Iterable<?> many -> many.forEach(one -> collect(one, visitor));
            case Map<?, ?> many -> many.values().forEach(one -> collect(one, visitor));
            default -> {}
        }
    }
}
