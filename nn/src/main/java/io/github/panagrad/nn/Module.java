package io.github.panagrad.nn;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.BlockStorage;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/// A part of a model: parameters and other modules, by name.
///
/// Names are registered explicitly and join to dotted paths, those of Hugging Face's files. Methods
/// that take or return paths count them from the module they are called on.
public abstract class Module {
    private final Map<String, Module> children = new LinkedHashMap<>();
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Map<String, Parameter> shared = new LinkedHashMap<>();
    private final Map<String, Module> attached = new LinkedHashMap<>();
    private String path = "";
    private boolean training;

    /// Creates a module without parts.
    protected Module() {}

    // Building

    /// Adds a child under a name of one or several segments, and renames its parameters.
    protected final <M extends Module> M register(String name, M child) {
        requireFree(name);
        children.put(name, child);
        ((Module) child).adopt(join(path, name));
        return child;
    }

    /// Adds a parameter of this module's own.
    protected final Parameter parameter(String name, Tensor values) {
        requireFree(name);
        var parameter = new Parameter(join(path, name), values);
        parameters.put(name, parameter);
        return parameter;
    }

    /// Adds a parameter that belongs to another module, such as a head tied to the embedding. It is
    /// counted, saved and named where it belongs.
    protected final Parameter share(String name, Parameter parameter) {
        requireFree(name);
        shared.put(name, parameter);
        return parameter;
    }

    /// Adds a child that does not belong to the model itself, such as an adapter's weights.
    ///
    /// Its parameters are trained like others; [#stateDict] leaves them out.
    ///
    /// @return what takes it off again
    public final Attachment attach(String name, Module child) {
        requireFree(name);
        attached.put(name, child);
        child.adopt(join(path, name));
        child.training(training);
        return () -> attached.remove(name, child);
    }

    private void requireFree(String name) {
        if (name.isEmpty()
                || children.containsKey(name)
                || parameters.containsKey(name)
                || shared.containsKey(name)
                || attached.containsKey(name)) {
            throw new PanagradException(
                    "module " + (path.isEmpty() ? getClass().getSimpleName() : path),
                    "name is empty or taken",
                    "'" + name + "'",
                    "a name other than " + Tree.names(this),
                    "");
        }
    }

    private void adopt(String newPath) {
        path = newPath;
        parameters.forEach((name, parameter) -> parameter.rename(join(newPath, name)));
        children.forEach((name, child) -> child.adopt(join(newPath, name)));
        attached.forEach((name, child) -> child.adopt(join(newPath, name)));
    }

    static String join(String path, String name) {
        return path.isEmpty() ? name : name.isEmpty() ? path : path + "." + name;
    }

    // Looking around

    /// Returns the path from the root of the model; empty for the root.
    public final String path() {
        return path;
    }

    /// Returns this module, under the empty path, and all below it, parents first.
    public final Map<String, Module> modules() {
        var found = new LinkedHashMap<String, Module>();
        walk("", found::put);
        return found;
    }

    private void walk(String at, BiConsumer<String, Module> visitor) {
        visitor.accept(at, this);
        children.forEach((name, child) -> child.walk(join(at, name), visitor));
        attached.forEach((name, child) -> child.walk(join(at, name), visitor));
    }

    /// Returns the module at a path.
    ///
    /// @throws PanagradException if there is none; the message lists near paths
    public final Module module(String at) {
        var all = modules();
        var found = all.get(at);
        if (found == null) {
            throw PathPattern.of(at).nothing(all.keySet());
        }
        return found;
    }

    /// Returns the layers whose path the pattern matches, in order.
    ///
    /// @throws PanagradException if there is none; the message lists near paths
    public final Map<String, Layer> layers(PathPattern pattern) {
        return layers(pattern, Layer.class);
    }

    /// Returns the modules of one class whose path the pattern matches, in order.
    ///
    /// @throws PanagradException if there is none; the message lists near paths
    public final <M extends Module> Map<String, M> layers(PathPattern pattern, Class<M> type) {
        var candidates = new LinkedHashMap<String, M>();
        walk(
                "",
                (at, module) -> {
                    if (type.isInstance(module)) {
                        candidates.put(at, type.cast(module));
                    }
                });
        return pattern.select(candidates);
    }

    /// Returns all parameters by path, each once, in order; those of attached modules too.
    public final Map<String, Parameter> parameters() {
        return parameters(true);
    }

    private Map<String, Parameter> parameters(boolean withAttached) {
        var found = new LinkedHashMap<String, Parameter>();
        Set<Parameter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        collect("", withAttached, m -> m.parameters, found, seen);
        collect("", withAttached, m -> m.shared, found, seen);
        return found;
    }

    private interface Holding {
        Map<String, Parameter> of(Module module);
    }

    private void collect(
            String at,
            boolean withAttached,
            Holding holding,
            Map<String, Parameter> found,
            Set<Parameter> seen) {
        holding.of(this)
                .forEach((name, parameter) -> {
                    if (seen.add(parameter)) {
                        found.put(join(at, name), parameter);
                    }
                });
        children.forEach(
                (name, child) -> child.collect(join(at, name), withAttached, holding, found, seen));
        if (withAttached) {
            attached.forEach(
                    (name, child) -> child.collect(join(at, name), true, holding, found, seen));
        }
    }

    /// Returns the parameters that are reachable under a second path, by that path.
    final Map<String, Parameter> aliases() {
        var named = parameters(false);
        var aliases = new LinkedHashMap<String, Parameter>();
        walk(
                "",
                (at, module) ->
                        module.shared.forEach((name, parameter) -> {
                            if (named.get(join(at, name)) != parameter) {
                                aliases.put(join(at, name), parameter);
                            }
                        }));
        return aliases;
    }

    Map<String, Module> children() {
        return Collections.unmodifiableMap(children);
    }

    Map<String, Module> attached() {
        return Collections.unmodifiableMap(attached);
    }

    Map<String, Parameter> ownParameters() {
        return Collections.unmodifiableMap(parameters);
    }

    Map<String, Parameter> sharedParameters() {
        return Collections.unmodifiableMap(shared);
    }

    // Training

    /// Returns the parameters that gradients are computed for, in order.
    public final List<Parameter> trainable() {
        return parameters().values().stream().filter(Parameter::isTrainable).toList();
    }

    /// Returns the number of parameter elements, tied ones counted once.
    public final long parameterCount() {
        return count(p -> true);
    }

    /// Returns the number of parameter elements that are trained.
    public final long trainableCount() {
        return count(Parameter::isTrainable);
    }

    private long count(Predicate<Parameter> which) {
        return parameters().values().stream().filter(which).mapToLong(Tensor::size).sum();
    }

    /// Switches gradients off for all parameters.
    public final void freeze() {
        parameters().values().forEach(p -> p.trainable(false));
    }

    /// Switches gradients off for the parameters that the pattern covers.
    ///
    /// @throws PanagradException if there is none
    public final void freeze(PathPattern pattern) {
        pattern.selectCovered(parameters()).values().forEach(p -> p.trainable(false));
    }

    /// Switches gradients on for all parameters.
    ///
    /// @throws PanagradException if one is of a storage type; see [#to]
    public final void unfreeze() {
        parameters().values().forEach(p -> p.trainable(true));
    }

    /// Switches gradients on for the parameters that the pattern covers.
    ///
    /// @throws PanagradException if there is none, or one is of a storage type; see [#to]
    public final void unfreeze(PathPattern pattern) {
        pattern.selectCovered(parameters()).values().forEach(p -> p.trainable(true));
    }

    /// Switches training mode on or off, here and below: dropout drops only in training mode.
    ///
    /// A new module is not in training mode; a trainer switches it on for its steps.
    public final void training(boolean on) {
        training = on;
        children.values().forEach(child -> child.training(on));
        attached.values().forEach(child -> child.training(on));
    }

    /// Tells whether training mode is on.
    public final boolean isTraining() {
        return training;
    }

    /// Converts parameters of floating types to `dtype`; a storage type also freezes them.
    ///
    /// Types of blocks, such as [DType#NF4], are for frozen matrices: they take the model's own
    /// matrices with rows of at least a unit of [BlockStorage]. Norms, biases and what is attached,
    /// such as adapters, stay as they are.
    ///
    /// @return the paths of the parameters that did not get the type
    public final List<String> to(DType dtype) {
        var own = new HashSet<>(parameters(false).values());
        var left = new ArrayList<String>();
        Ops.noGrad(() -> {
            parameters()
                    .forEach((path, p) -> {
                        boolean fits = !dtype.isBlock() || (own.contains(p) && isMatrix(p));
                        if (p.dtype() != dtype && p.dtype().isFloating() && fits) {
                            p.replace(p.to(dtype));
                        } else if (p.dtype() != dtype) {
                            left.add(path);
                        }
                    });
            return null;
        });
        return left;
    }

    /// Moves all parameters to another device, those of attached modules too; types that it holds no
    /// weights of are widened to F32.
    ///
    /// Make the optimizer afterwards: its state lies where the parameters do.
    public final void to(Device device) {
        parameters().values().forEach(parameter -> parameter.moveTo(device));
    }

    private static boolean isMatrix(Parameter p) {
        return p.rank() == 2 && p.dim(1) >= BlockStorage.UNIT;
    }

    // State

    /// Returns the parameters by path, without those of attached modules; they share memory with
    /// the module.
    public final Map<String, Tensor> stateDict() {
        var state = new LinkedHashMap<String, Tensor>();
        parameters(false).forEach((name, parameter) -> state.put(name, parameter.detach()));
        return state;
    }

    /// Copies values into the parameters, converted to their dtypes.
    ///
    /// @throws PanagradException if values are missing, unexpected or of another shape; the message
    ///     names them, and nothing has been changed
    public final void load(Map<String, ? extends Tensor> state) {
        StateDict.match(this, state).forEach(Parameter::assign);
    }

    /// Lets the parameters take over the memory and dtype of the given tensors, such as those
    /// mapped from a file. Parameters of storage types are frozen.
    ///
    /// @throws PanagradException if values are missing, unexpected or of another shape; the message
    ///     names them, and nothing has been changed
    public final void bind(Map<String, ? extends Tensor> state) {
        StateDict.match(this, state).forEach(Parameter::replace);
    }

    /// Returns a short description of the module without its parts, such as `Linear(64 → 32)`.
    protected String describe() {
        return getClass().getSimpleName();
    }

    /// Returns the tree of modules with descriptions and parameter counts; like neighbours are
    /// drawn together.
    @Override
    public final String toString() {
        return Tree.draw(this);
    }
}
