package io.github.panagrad.adapters;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.layers.Embedding;
import io.github.panagrad.nn.layers.Linear;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The weights that do an adapter's work while it is merged, and what they were before.
final class MergedWeights {
    private final List<Changed> changed = new ArrayList<>();

    /// The parameters of a layer, and what they were before.
    private record Changed(
            Parameter weight,
            Tensor weightBefore,
            @Nullable Parameter bias,
            @Nullable Tensor biasBefore) {
        void undo() {
            put(weight, weightBefore);
            if (bias != null && biasBefore != null) {
                put(bias, biasBefore);
            }
        }

        private static void put(Parameter parameter, Tensor before) {
            parameter.replace(before);
            parameter.trainable(false);
        }
    }

    /// Tells whether there are none: the adapter is not merged.
    boolean isEmpty() {
        return changed.isEmpty();
    }

    /// Lets a layer's weight do the work of the part that is on it. A head that is tied to an
    /// embedding has what was done there.
    ///
    /// @param parts all of the adapter's
    /// @param by how much of the work counts
    /// @return false if no weight can
    /// @throws PanagradException if a layer that the adapter is not on has the same weight
    boolean add(Module model, String path, Map<String, LayerAdapter> parts, double by) {
        Module layer = model.module(path);
        LayerAdapter part = parts.get(path);
        Parameter weight = weightOf(layer);
        if (weight == null || part == null) {
            return false;
        }
        requireOwn(model, path, weight, parts.keySet());
        if (changed.stream().anyMatch(c -> c.weight == weight)) {
            return true;
        }
        Tensor before = weight.detach();
        Tensor after = part.mergedWeight(before.to(before.dtype().widened()));
        if (after == null) {
            return false;
        }
        Parameter bias = layer instanceof Linear linear ? linear.bias() : null;
        Tensor biasBefore = bias == null ? null : bias.detach();
        weight.replace(blend(before, after, by).keep());
        if (bias != null && biasBefore != null) {
            bias.replace(blend(biasBefore, part.mergedBias(biasBefore), by).keep());
        }
        return changed.add(
                new Changed(
                        weight,
                        before.keep(),
                        bias,
                        biasBefore == null ? null : biasBefore.keep()));
    }

    private static void requireOwn(
            Module model, String path, Parameter weight, Set<String> adapted) {
        model.modules()
                .forEach((other, module) -> {
                    if (!adapted.contains(other) && weightOf(module) == weight) {
                        throw new PanagradException(
                                path,
                                "its weight is tied, and merging would change both layers",
                                "the weight of " + other + " too",
                                "a weight of its own",
                                "keep the adapter beside the model");
                    }
                });
    }

    /// Returns the parameter that is a layer's weight, or null if it has none.
    static @Nullable Parameter weightOf(Module layer) {
        return switch (layer) {
            case Linear linear -> linear.weight();
            case Embedding embedding -> embedding.weight();
            default -> null;
        };
    }

    /// Tells whether a tied weight has been changed under another path.
    static boolean isDone(Module model, Parameter weight, Set<String> changed) {
        return model.parameters().entrySet().stream()
                .anyMatch(e -> e.getValue() == weight && changed.contains(e.getKey()));
    }

    /// Goes from one weight to another as far as the work counts.
    static Tensor blend(Tensor before, Tensor after, double by) {
        if (by == 1) {
            return after;
        }
        Tensor wide = before.to(after.dtype());
        return wide.add(after.sub(wide).mul(by));
    }

    /// Gives the weights their old bits and dtype back.
    void undo() {
        changed.reversed().forEach(Changed::undo);
        changed.clear();
    }

    /// Keeps the weights as they are, for good.
    void forget() {
        changed.clear();
    }
}
