package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Scope;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.op.Add;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The walk from results back to what they were computed from, latest node first.
///
/// It is iterative, so depth is no limit. Unless a graph of the gradients themselves is wanted it
/// frees what it has consumed as it goes.
public final class Backward {
    // Ordered, so that whatever sums over all gradients does so in the same order in each run.
    private final Map<Edge, Tensor> slots = new LinkedHashMap<>();
    private final Map<Edge, Tensor> found = new LinkedHashMap<>();
    private final PriorityQueue<Node> queue =
            new PriorityQueue<>((a, b) -> Long.compare(b.id(), a.id()));
    private final Set<Node> queued = new HashSet<>();
    private final @Nullable Set<Edge> targets;
    private final Set<Node> relevant;
    private final boolean stop;
    private final boolean createGraph;

    private Backward(
            @Nullable Set<Edge> targets, Set<Node> relevant, boolean stop, boolean createGraph) {
        this.targets = targets;
        this.relevant = relevant;
        this.stop = stop;
        this.createGraph = createGraph;
    }

    /// Computes gradients.
    ///
    /// @param seeds the results and their gradients
    /// @param targets what to compute gradients for; null for every leaf
    /// @param stopAtTargets whether a target is a constant to the targets behind it
    /// @param createGraph whether to record the walk itself; otherwise nodes are consumed
    /// @return the gradients; what was not reached is absent
    public static Map<Edge, Tensor> walk(
            Map<Tensor, Tensor> seeds,
            @Nullable Set<Edge> targets,
            boolean stopAtTargets,
            boolean createGraph) {
        return Scope.scope(
                "backward",
                () ->
                        Tape.recording(
                                createGraph,
                                () ->
                                        new Backward(
                                                        targets,
                                                        relevant(seeds, targets, stopAtTargets),
                                                        stopAtTargets,
                                                        createGraph)
                                                .run(seeds)));
    }

    /// Finds the nodes from which a target can be reached.
    private static Set<Node> relevant(
            Map<Tensor, Tensor> seeds, @Nullable Set<Edge> targets, boolean stop) {
        Set<Node> relevant = new HashSet<>();
        if (targets == null) {
            return relevant;
        }
        var open = new ArrayDeque<Node>();
        var seen = new HashSet<Node>();
        var order = new ArrayList<Node>();
        seeds.keySet().forEach(t -> push(t.edge(), seen, open));
        while (!open.isEmpty()) {
            Node node = open.pop();
            order.add(node);
            for (int i = 0; i < node.inputs(); i++) {
                Edge edge = node.edge(i);
                if (edge != null && !(stop && targets.contains(edge))) {
                    push(edge, seen, open);
                }
            }
        }
        order.sort((a, b) -> Long.compare(a.id(), b.id()));
        order.forEach(node -> mark(node, targets, relevant));
        return relevant;
    }

    private static void mark(Node node, Set<Edge> targets, Set<Node> relevant) {
        for (int i = 0; i < node.inputs(); i++) {
            Edge edge = node.edge(i);
            if (edge != null && (targets.contains(edge) || relevant.contains(edge.node()))) {
                relevant.add(node);
            }
        }
    }

    private static void push(@Nullable Edge edge, Set<Node> seen, ArrayDeque<Node> open) {
        if (edge != null && seen.add(edge.node())) {
            open.push(edge.node());
        }
    }

    private Map<Edge, Tensor> run(Map<Tensor, Tensor> seeds) {
        seeds.forEach((y, dy) -> {
            if (!dy.shape().equals(y.shape())) {
                throw new ShapeException(
                        "backward",
                        "the gradient has another shape",
                        dy.spec() + " for " + y.spec(),
                        "the shape of what is differentiated",
                        "");
            }
            Edge edge = y.edge();
            if (edge != null) {
                accumulate(edge, dy);
            }
        });
        while (!queue.isEmpty()) {
            Node node = queue.poll();
            queued.remove(node);
            if (!node.isLeaf()) {
                visit(node);
            }
        }
        slots.forEach((edge, grad) -> {
            if (edge.node().isLeaf() && (targets == null || targets.contains(edge))) {
                found.put(edge, grad);
            }
        });
        found.values().forEach(grad -> grad.storage().unpin("backward"));
        return found;
    }

    private void visit(Node node) {
        int n = node.outputCount();
        @Nullable Tensor[] dy = new Tensor[n];
        boolean any = false;
        for (int i = 0; i < n; i++) {
            Edge edge = new Edge(node, i);
            Tensor grad = slots.remove(edge);
            if (grad != null && targets != null && targets.contains(edge)) {
                grad.storage().pin();
                found.put(edge, grad);
                if (stop) {
                    free(grad);
                    grad = null;
                }
            }
            dy[i] = grad;
            any |= grad != null;
        }
        if (!any || (targets != null && !relevant.contains(node))) {
            for (Tensor grad : dy) {
                free(grad);
            }
            return;
        }
        if (node.op() instanceof Checkpoint checkpoint) {
            expand(checkpoint.repeat(node), dy);
        } else {
            differentiate(node, dy);
        }
        for (Tensor grad : dy) {
            free(grad);
        }
        if (!createGraph) {
            node.release();
        }
    }

    private void differentiate(Node node, @Nullable Tensor[] dy) {
        if (node.op() instanceof AddsGradient op && adds(op, node, dy)) {
            return;
        }
        @Nullable Tensor[] dx =
                Scope.scope("backward of " + node.name(), () -> node.op().vjp(node, dy));
        for (int i = 0; i < dx.length; i++) {
            Edge edge = node.edge(i);
            Tensor grad = dx[i];
            if (edge != null && grad != null && wanted(edge)) {
                check(node, i, grad);
                accumulate(edge, grad);
            }
        }
    }

    /// Adds the gradient of a node's first input to the one that is there, if there is one that
    /// nobody else sees.
    private boolean adds(AddsGradient op, Node node, @Nullable Tensor[] dy) {
        Edge edge = node.edge(0);
        Tensor before = edge == null || createGraph ? null : slots.get(edge);
        return before != null
                && mayOverwrite(before)
                && Scope.scope(
                        "backward of " + node.name(), () -> op.addGradient(node, dy, before));
    }

    /// Goes on through the graph that a checkpoint stood for.
    private void expand(Checkpoint.Repetition repetition, @Nullable Tensor[] dy) {
        if (targets != null) {
            repetition.stretch().made().forEach(made -> mark(made, targets, relevant));
        }
        for (int i = 0; i < dy.length; i++) {
            Edge edge = repetition.results()[i];
            Tensor grad = dy[i];
            if (edge != null && grad != null && wanted(edge)) {
                accumulate(edge, grad);
            }
        }
    }

    private boolean wanted(Edge edge) {
        return targets == null || targets.contains(edge) || relevant.contains(edge.node());
    }

    private void accumulate(Edge edge, Tensor grad) {
        Tensor before = slots.get(edge);
        Tensor sum = grad;
        if (before != null) {
            if (!createGraph && mayOverwrite(before)) {
                Tape.into(new Add(), new Tensor[] {before, grad}, before);
                return;
            }
            sum = before.add(grad);
        }
        sum.storage().pin();
        slots.put(edge, sum);
        free(before);
        if (queued.add(edge.node())) {
            queue.add(edge.node());
        }
    }

    /// Tells whether a gradient is this walk's own, seen by nobody else, and lies densely.
    private static boolean mayOverwrite(Tensor grad) {
        Storage storage = grad.storage();
        return storage.pins() == 1
                && grad.layout().isContiguous()
                && storage.length() == grad.size()
                && Scope.owns(storage);
    }

    /// Drops a consumed gradient; its memory goes back at once if nothing else uses it.
    private void free(@Nullable Tensor grad) {
        if (grad != null) {
            grad.storage().unpin("backward");
            if (!createGraph && grad.storage().pins() == 0) {
                Scope.releaseEarly(grad.storage(), "backward");
            }
        }
    }

    private static void check(Node node, int i, Tensor grad) {
        if (!grad.shape().equals(node.inputSpec(i).shape())) {
            throw new IllegalStateException(
                    "backward of %s: gradient %d is %s, its input %s"
                            .formatted(node.name(), i, grad.spec(), node.inputSpec(i)));
        }
    }
}
