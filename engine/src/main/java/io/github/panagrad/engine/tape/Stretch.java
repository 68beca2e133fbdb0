package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Scope;
import io.github.panagrad.engine.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A stretch of recorded work that is looked at as a whole: the nodes it made, and the tensors from
/// outside that it read.
///
/// It also hands out the numbers of nodes. A stretch that repeats an earlier one numbers its nodes
/// as they were then, so that a walk meets them in the same place and adds gradients up in the same
/// order.
final class Stretch {
    private static final ScopedValue<Stretch> CURRENT = ScopedValue.newInstance();
    private static final AtomicLong IDS = new AtomicLong();

    private final @Nullable Stretch outer = current();
    private final List<Node> made = new ArrayList<>();
    private final Set<Tensor> read = new LinkedHashSet<>();
    private final long start;
    private final @Nullable AtomicLong ids;

    /// Starts a stretch.
    Stretch() {
        ids = null;
        start = ids().get();
    }

    /// Starts a repetition of a stretch.
    Stretch(Stretch repeated) {
        start = repeated.start;
        ids = new AtomicLong(start);
    }

    static @Nullable Stretch current() {
        return CURRENT.isBound() ? CURRENT.get() : null;
    }

    /// Numbers a new node.
    static long nextId() {
        return ids().incrementAndGet();
    }

    private static AtomicLong ids() {
        for (Stretch stretch = current(); stretch != null; stretch = stretch.outer) {
            if (stretch.ids != null) {
                return stretch.ids;
            }
        }
        return IDS;
    }

    /// Runs `body` with recording on, as part of this stretch.
    <T> T record(Supplier<T> body) {
        return ScopedValue.where(CURRENT, this).call(() -> Tape.recording(true, body));
    }

    /// Notes tensors that are about to be read.
    void reads(Tensor... tensors) {
        for (Stretch stretch = this; stretch != null; stretch = stretch.outer) {
            Collections.addAll(stretch.read, tensors);
        }
    }

    /// Notes a node that was recorded.
    void makes(Node node) {
        for (Stretch stretch = this; stretch != null; stretch = stretch.outer) {
            stretch.made.add(node);
        }
    }

    /// Returns the nodes in the order of recording.
    List<Node> made() {
        return made;
    }

    /// Returns what was read and neither made here nor given, in the order of reading.
    ///
    /// To be called in the scope that the stretch ran in.
    List<Tensor> captured(Tensor... given) {
        var known = Set.copyOf(Arrays.asList(given));
        return read.stream().filter(t -> !known.contains(t) && isFromOutside(t)).toList();
    }

    private boolean isFromOutside(Tensor t) {
        if (t instanceof Parameter) {
            return true;
        }
        Edge edge = t.edge();
        return edge != null
                ? edge.node().id() <= start
                : !t.storage().isReleased() && !Scope.owns(t.storage());
    }

    /// Lets go of everything that the nodes of this stretch saved.
    void release() {
        made.forEach(Node::release);
    }
}
