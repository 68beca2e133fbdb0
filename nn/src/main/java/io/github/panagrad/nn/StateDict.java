package io.github.panagrad.nn;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Fits named tensors to a module's parameters, strictly.
final class StateDict {
    private static final int LISTED = 5;

    private StateDict() {}

    /// Pairs every parameter with its tensor.
    ///
    /// A tied parameter may come under any of its paths.
    static Map<Parameter, Tensor> match(Module module, Map<String, ? extends Tensor> state) {
        var aliases = module.aliases();
        var parameters = new LinkedHashMap<>(module.parameters());
        parameters.keySet().retainAll(module.stateDict().keySet());
        var pairs = new LinkedHashMap<Parameter, Tensor>();
        var missing = new ArrayList<String>();
        var unexpected = new LinkedHashSet<>(state.keySet());
        unexpected.removeAll(aliases.keySet());
        parameters.forEach((name, parameter) -> {
            unexpected.remove(name);
            Tensor values = state.get(name);
            if (values == null) {
                values = fromAlias(aliases, parameter, state);
            }
            if (values == null) {
                missing.add(name);
            } else {
                requireShape(name, parameter, values);
                pairs.put(parameter, values);
            }
        });
        if (!missing.isEmpty() || !unexpected.isEmpty()) {
            throw new PanagradException(
                    "load",
                    "the tensors are not those of the model",
                    listed("missing", missing)
                            + (missing.isEmpty() || unexpected.isEmpty() ? "" : " and ")
                            + listed("unexpected", List.copyOf(unexpected)),
                    parameters.size() + " tensors",
                    "do config and weights belong to the same model?");
        }
        return pairs;
    }

    private static @Nullable Tensor fromAlias(
            Map<String, Parameter> aliases,
            Parameter parameter,
            Map<String, ? extends Tensor> state) {
        for (var alias : aliases.entrySet()) {
            if (alias.getValue() == parameter && state.containsKey(alias.getKey())) {
                return state.get(alias.getKey());
            }
        }
        return null;
    }

    private static void requireShape(String name, Parameter parameter, Tensor values) {
        if (!values.shape().equals(parameter.shape())) {
            throw new PanagradException(
                    "load",
                    "tensor " + name + " has a shape that the model contradicts",
                    values.shape().toString(),
                    parameter.shape().toString(),
                    "do config and weights belong to the same model?");
        }
    }

    private static String listed(String what, List<String> names) {
        if (names.isEmpty()) {
            return "";
        }
        String shown = String.join(", ", names.subList(0, Math.min(LISTED, names.size())));
        int rest = names.size() - LISTED;
        return names.size()
                + " "
                + what
                + ": "
                + shown
                + (rest > 0 ? " and " + rest + " more" : "");
    }
}
