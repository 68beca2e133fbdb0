package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;

/// A change of some of a model's parameters, by path: a task vector (Ilharco et al., arXiv
/// 2212.04089). Immutable.
///
/// ```java
/// var before = Delta.snapshot(model);
/// // … training …
/// var task = Delta.difference(before, model.stateDict());
/// task.times(0.5).apply(other);
/// ```
public final class Delta {
    private final Map<String, TensorDelta> changes;

    private Delta(Map<String, TensorDelta> changes) {
        this.changes = Collections.unmodifiableMap(changes);
    }

    /// Creates a change from those of single parameters, by path.
    public static Delta of(Map<String, ? extends TensorDelta> changes) {
        return new Delta(new LinkedHashMap<>(changes));
    }

    /// Copies a model's parameters, those of attached modules left out, to take a difference to later.
    public static Map<String, Tensor> snapshot(Module model) {
        var copies = new LinkedHashMap<String, Tensor>();
        model.stateDict().forEach((path, t) -> copies.put(path, t.copy().keep()));
        return copies;
    }

    /// Takes what has changed from one state of a model to another; parameters that are equal are left
    /// out.
    ///
    /// @param base the parameters before, by path
    /// @param tuned the same parameters afterwards
    /// @throws PanagradException if names or shapes differ
    public static Delta difference(
            Map<String, ? extends Tensor> base, Map<String, ? extends Tensor> tuned) {
        requireSameNames(base.keySet(), tuned.keySet());
        var changes = new LinkedHashMap<String, TensorDelta>();
        base.forEach((path, before) -> {
            Tensor after = tuned.get(path);
            if (after != null && before.dtype().isFloating()) {
                requireShape("difference", path, after, before.shape().toString());
                Tensor values =
                        HostTensors.kept(
                                () -> HostTensors.copy(after).sub(HostTensors.copy(before)));
                if (values.ne(0).max().item() > 0) {
                    changes.put(path, new DenseDelta(values));
                }
            }
        });
        return new Delta(changes);
    }

    private static void requireSameNames(Set<String> base, Set<String> tuned) {
        var only = new ArrayList<String>();
        base.stream().filter(n -> !tuned.contains(n)).map(n -> "no " + n).forEach(only::add);
        tuned.stream().filter(n -> !base.contains(n)).map(n -> n + " more").forEach(only::add);
        if (!only.isEmpty()) {
            throw new PanagradException(
                    "difference",
                    "the states have different parameters",
                    listed(only),
                    "two states of one model",
                    "");
        }
    }

    private static void requireShape(String where, String path, Tensor got, String expected) {
        if (!got.shape().toString().equals(expected)) {
            throw new PanagradException(
                    where,
                    "shapes differ at " + path,
                    got.shape().toString(),
                    expected,
                    "are they of the same model?");
        }
    }

    private static String listed(List<String> names) {
        int shown = Math.min(names.size(), 5);
        String rest = names.size() > shown ? " and " + (names.size() - shown) + " others" : "";
        return String.join(", ", names.subList(0, shown)) + rest;
    }

    /// Returns the changes by path.
    public Map<String, TensorDelta> changes() {
        return changes;
    }

    /// Returns how many numbers all changes are made of.
    public long stored() {
        return changes.values().stream().mapToLong(TensorDelta::stored).sum();
    }

    // Algebra

    /// Returns both changes together; what only one of them changes is taken as it is.
    ///
    /// @throws PanagradException if they change a parameter of different shapes
    public Delta plus(Delta other) {
        var sum = new LinkedHashMap<>(changes);
        other.changes.forEach((path, theirs) -> {
            TensorDelta mine = sum.get(path);
            try {
                sum.put(path, mine == null ? theirs : mine.plus(theirs));
            } catch (PanagradException e) {
                throw new PanagradException(path + ": " + e.getMessage(), e);
            }
        });
        return new Delta(sum);
    }

    /// Returns the change multiplied by a number.
    public Delta times(double factor) {
        return scaleByPath(path -> factor);
    }

    /// Returns the change with each block multiplied by a number of its own.
    ///
    /// @param where tells which parameter is in which block, such as `model.selection()`
    /// @param factor of a block, by its number from 0
    /// @param outside what everything outside of the blocks is multiplied by
    /// @throws PanagradException if the selection lacks a parameter that changes
    public Delta scaleByBlock(ParamSelection where, IntToDoubleFunction factor, double outside) {
        var blocks = new HashMap<String, Integer>();
        where.forEach(entry -> blocks.put(entry.path(), entry.block()));
        return scaleByPath(path -> {
            Integer block = blocks.get(path);
            if (block == null) {
                throw notSelected(path);
            }
            return block < 0 ? outside : factor.applyAsDouble(block);
        });
    }

    static PanagradException notSelected(String path) {
        return new PanagradException(
                "scale by block",
                "the selection has no such parameter",
                path,
                "all parameters that change, such as model.selection()",
                "is the delta of another model?");
    }

    Delta scaleByPath(ToDoubleFunction<String> factor) {
        var scaled = new LinkedHashMap<String, TensorDelta>();
        changes.forEach((path, d) -> scaled.put(path, d.times(finite(factor.applyAsDouble(path)))));
        return new Delta(scaled);
    }

    private static double finite(double factor) {
        if (!Double.isFinite(factor)) {
            throw new PanagradException("delta", "factor is not finite", "" + factor, "", "");
        }
        return factor;
    }

    /// Returns the change with only the elements whose magnitude is above a threshold.
    ///
    /// @param above 0 keeps all that are not zero
    public Delta sparse(double above) {
        return map(d -> SparseDelta.of(d.dense(), above));
    }

    /// Returns the change with each parameter's replaced by what a function makes of it.
    public Delta map(UnaryOperator<TensorDelta> function) {
        var mapped = new LinkedHashMap<String, TensorDelta>();
        changes.forEach((path, d) -> mapped.put(path, function.apply(d)));
        return new Delta(mapped);
    }

    // On a model

    /// Adds the change to a model's parameters, those of storage types widened to F32.
    ///
    /// Elements that change by zero keep their bits.
    ///
    /// @return what gives the parameters their old memory back, bit for bit
    /// @throws PanagradException if the model lacks a parameter, or has it in another shape; nothing
    ///     has been changed then
    public AppliedDelta apply(Module model) {
        Map<String, Parameter> parameters = model.parameters();
        var missing = changes.keySet().stream().filter(p -> !parameters.containsKey(p)).toList();
        if (!missing.isEmpty()) {
            throw new PanagradException(
                    "apply delta",
                    "the model has no such parameter",
                    listed(missing),
                    "paths such as " + parameters.keySet().iterator().next(),
                    "is the delta of another model?");
        }
        var targets = new LinkedHashMap<Parameter, TensorDelta>();
        changes.forEach((path, d) -> {
            Parameter parameter = parameters.get(path);
            if (parameter != null) {
                requireShape("apply delta", path, parameter, d.shape().toString());
                targets.put(parameter, d);
            }
        });
        return AppliedDelta.apply(targets);
    }

    // Files

    /// Writes the change to a folder: `delta.safetensors` and `delta_config.json`.
    ///
    /// @param folder created if it is not there
    /// @throws PanagradException if it cannot be written
    public void save(Path folder) {
        DeltaFiles.save(this, folder);
    }

    /// Reads what [#save] wrote.
    ///
    /// @throws PanagradException if a file is missing or broken
    public static Delta load(Path folder) {
        return DeltaFiles.load(folder);
    }

    @Override
    public String toString() {
        return "change of " + changes.size() + " parameters in " + stored() + " numbers";
    }
}
