package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.tape.Edge;
import io.github.panagrad.engine.tape.Node;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
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
    private final List<Node> recorded = new ArrayList<>();
    private final Set<Node> kept = new HashSet<>();
    private int roomForNodes = 1024;

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
            scope.close(Set.of(), Set.of());
            throw t;
        }
        Set<Storage> surviving = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Node> results = new HashSet<>();
        collect(
                result,
                t -> {
                    surviving.add(t.storage());
                    note(t.edge(), results);
                },
                edge -> note(edge, results));
        scope.close(surviving, results);
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

    /// Hands a fresh node to the innermost scope, if there is one. For the tape.
    ///
    /// What a node has saved goes back when the scope closes and nothing that survives came from
    /// it: metrics and other dead ends that no backward walk comes by.
    public static void register(Node node) {
        Scope scope = current();
        if (scope != null) {
            scope.add(node);
        }
    }

    private void add(Node node) {
        if (recorded.size() == roomForNodes) {
            recorded.removeIf(Node::isReleased);
            roomForNodes = Math.max(roomForNodes, 2 * recorded.size());
        }
        recorded.add(node);
    }

    /// Keeps what a node has saved beyond all open scopes. For the tape.
    public static void keep(Node node) {
        for (Scope scope = current(); scope != null; scope = scope.parent) {
            scope.kept.add(node);
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

    private void close(Set<Storage> surviving, Set<Node> results) {
        recorded.removeIf(Node::isReleased);
        if (!recorded.isEmpty()) {
            results = new HashSet<>(results);
            results.addAll(kept);
            closeNodes(results);
        }
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

    /// Lets go of the nodes that nothing alive came from; the others become the parent's.
    private void closeNodes(Set<Node> alive) {
        Set<Node> unseen = new HashSet<>(recorded);
        var open = new ArrayDeque<Node>(alive);
        while (!open.isEmpty()) {
            Node node = open.pop();
            if (unseen.remove(node)) {
                for (int i = 0; i < node.inputs(); i++) {
                    Edge edge = node.edge(i);
                    if (edge != null) {
                        open.push(edge.node());
                    }
                }
            }
        }
        for (Node node : recorded) {
            if (unseen.contains(node)) {
                node.release();
            } else if (parent != null) {
                parent.add(node);
            }
        }
    }

    private static void note(@Nullable Edge edge, Set<Node> nodes) {
        if (edge != null) {
            nodes.add(edge.node());
        }
    }

    private static void collect(
            @Nullable Object result, Consumer<Tensor> tensors, Consumer<Edge> edges) {
        switch (result) {
            case null -> {}
            case Tensor t -> tensors.accept(t);
            case Edge e -> edges.accept(e);
            case Holder h -> h.forEachTensor(tensors);
            case Object[] many -> {
                for (Object one : many) {
                    collect(one, tensors, edges);
                }
            }
            case Iterable<?> many -> many.forEach(one -> collect(one, tensors, edges));
            case Map<?, ?> many -> many.values().forEach(one -> collect(one, tensors, edges));
            default -> {}
        }
    }
}
