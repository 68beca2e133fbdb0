package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.op.Add;
import io.github.panagrad.engine.op.SumOfSquares;
import io.github.panagrad.engine.tape.Edge;
import io.github.panagrad.engine.tape.Tape;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The gradients that one backward pass computed, by leaf.
public final class Grads implements Scope.Holder {
    private final Map<Edge, Tensor> byLeaf;

    Grads(Map<Edge, Tensor> byLeaf) {
        this.byLeaf = byLeaf;
    }

    /// Returns the gradient of a parameter or of a tensor from [Tensor#requireGrad].
    ///
    /// Shapes: that of the leaf.
    ///
    /// @throws PanagradException if the result did not depend on it
    public Tensor get(Tensor leaf) {
        return find(leaf)
                .orElseThrow(() ->
                        new PanagradException(
                                "gradient",
                                "there is none for "
                                        + (leaf instanceof Parameter p
                                                ? "parameter " + p.name()
                                                : leaf.spec().toString()),
                                "",
                                "a leaf that the differentiated tensor depends on",
                                "is it frozen, detached, or not used in the forward pass?"));
    }

    /// Returns the gradient of a leaf, empty if the result did not depend on it.
    public Optional<Tensor> find(Tensor leaf) {
        Edge key = key(leaf);
        return Optional.ofNullable(key == null ? null : byLeaf.get(key));
    }

    private static @Nullable Edge key(Tensor leaf) {
        return leaf instanceof Parameter p ? p.leaf() : leaf.edge();
    }

    /// Returns the number of gradients.
    public int size() {
        return byLeaf.size();
    }

    /// Returns the sum of these and other gradients, leaf by leaf: how batches are accumulated.
    public Grads plus(Grads other) {
        return Ops.noGrad(() -> {
            Map<Edge, Tensor> sum = new LinkedHashMap<>(byLeaf);
            other.byLeaf.forEach((leaf, grad) -> sum.merge(leaf, grad, Tensor::add));
            return new Grads(sum);
        });
    }

    /// Adds other gradients to these, leaf by leaf, overwriting the memory of these where that is
    /// safe: how a training step accumulates its batches in the memory of one.
    ///
    /// Use what is returned, not these gradients, from here on.
    public Grads accumulate(Grads other) {
        return Ops.noGrad(() -> {
            Set<Storage> shared = sharedStorages();
            Map<Edge, Tensor> sum = new LinkedHashMap<>(byLeaf);
            other.byLeaf.forEach((leaf, grad) ->
                    sum.merge(
                            leaf,
                            grad,
                            (mine, more) ->
                                    isWhole(mine) && !shared.contains(mine.storage())
                                            ? overwrite(mine, more)
                                            : mine.add(more)));
            return new Grads(sum);
        });
    }

    /// Returns the storages that more than one leaf's gradient lies in: a sum's terms have one
    /// gradient.
    private Set<Storage> sharedStorages() {
        Set<Storage> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Storage> shared = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Tensor grad : byLeaf.values()) {
            if (!seen.add(grad.storage())) {
                shared.add(grad.storage());
            }
        }
        return shared;
    }

    private static boolean isWhole(Tensor grad) {
        return grad.layout().isContiguous() && grad.storage().length() == grad.size();
    }

    private static Tensor overwrite(Tensor grad, Tensor more) {
        Tape.into(new Add(), new Tensor[] {grad, more}, grad);
        return grad;
    }

    /// Returns the gradients with those of some leaves replaced. Shapes: those of the leaves.
    ///
    /// @throws PanagradException if there was no gradient for one of them, or it has another shape
    public Grads with(Map<? extends Tensor, Tensor> replaced) {
        Map<Edge, Tensor> changed = new LinkedHashMap<>(byLeaf);
        replaced.forEach((leaf, grad) -> {
            Edge key = key(leaf);
            Tensor before = get(leaf);
            if (!before.shape().equals(grad.shape())) {
                throw new PanagradException(
                        "gradient",
                        "shapes differ",
                        grad.shape().toString(),
                        before.shape().toString(),
                        "");
            }
            if (key != null) {
                changed.put(key, grad);
            }
        });
        return new Grads(changed);
    }

    /// Returns the gradients multiplied by a number.
    public Grads times(double factor) {
        return map((leaf, grad) -> grad.mul(factor));
    }

    /// Returns the global norm: the Euclidean norm of all gradients seen as one vector.
    public double norm() {
        return Ops.noGrad(() ->
                Scope.scope(
                        "gradient norm",
                        () -> {
                            // all before the first is read: reading waits for a device
                            List<Tensor> squares =
                                    byLeaf.values().stream()
                                            .map(grad -> Tape.one(new SumOfSquares(), grad))
                                            .toList();
                            double sum = 0;
                            for (Tensor square : squares) {
                                sum += square.item();
                            }
                            return Math.sqrt(sum);
                        }));
    }

    /// Returns the gradients scaled down so that their global norm is at most `max`.
    public Grads clipNorm(double max) {
        double norm = norm();
        return norm > max ? times(max / (norm + 1e-6)) : this;
    }

    private Grads map(BiFunction<Edge, Tensor, Tensor> f) {
        return Ops.noGrad(() -> {
            Map<Edge, Tensor> mapped = new LinkedHashMap<>();
            byLeaf.forEach((leaf, grad) -> mapped.put(leaf, f.apply(leaf, grad)));
            return new Grads(mapped);
        });
    }

    @Override
    public void forEachTensor(Consumer<Tensor> visitor) {
        byLeaf.values().forEach(visitor);
    }
}
