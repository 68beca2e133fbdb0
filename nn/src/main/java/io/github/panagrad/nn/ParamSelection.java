package io.github.panagrad.nn;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/// Some of a model's parameters, with path, category and block. Immutable.
///
/// ```java
/// model.selection().in(ATTN_Q, ATTN_V).blocks(b -> b >= 4).count()
/// ```
public final class ParamSelection implements Iterable<ParamSelection.Entry> {
    private final List<Entry> entries;

    private ParamSelection(List<Entry> entries) {
        this.entries = entries;
    }

    /// One parameter.
    ///
    /// @param path where it is
    /// @param parameter the parameter
    /// @param category what it does
    /// @param block in which block it is, −1 outside of all
    public record Entry(String path, Parameter parameter, ParamCategory category, int block) {}

    /// Selects all parameters of a module, those of attached modules too.
    public static ParamSelection of(Module module, ParamTable table) {
        var entries = new ArrayList<Entry>();
        module.parameters()
                .forEach((path, parameter) ->
                        entries.add(
                                new Entry(
                                        path, parameter, table.category(path), table.block(path))));
        return new ParamSelection(List.copyOf(entries));
    }

    /// Keeps the parameters of some categories.
    public ParamSelection in(ParamCategory... categories) {
        var wanted = Set.of(categories);
        return where(e -> wanted.contains(e.category));
    }

    /// Keeps the parameters of the blocks whose number is wanted.
    public ParamSelection blocks(IntPredicate wanted) {
        return where(e -> e.block >= 0 && wanted.test(e.block));
    }

    /// Keeps the parameters that the pattern covers.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if there is none
    public ParamSelection matching(PathPattern pattern) {
        var kept = where(e -> pattern.covers(e.path));
        if (kept.entries.isEmpty()) {
            throw pattern.nothing(entries.stream().map(Entry::path).toList());
        }
        return kept;
    }

    /// Drops the parameters that the pattern covers.
    public ParamSelection without(PathPattern pattern) {
        return where(e -> !pattern.covers(e.path));
    }

    /// Keeps the parameters that gradients are computed for.
    public ParamSelection trainable() {
        return where(e -> e.parameter.isTrainable());
    }

    /// Keeps the parameters for which a test holds.
    public ParamSelection where(Predicate<Entry> test) {
        return new ParamSelection(entries.stream().filter(test).toList());
    }

    /// Returns the entries in the model's order.
    public List<Entry> entries() {
        return entries;
    }

    /// Returns the parameters in the model's order.
    public List<Parameter> parameters() {
        return entries.stream().map(Entry::parameter).toList();
    }

    /// Returns how many parameters there are.
    public int size() {
        return entries.size();
    }

    /// Returns how many elements the parameters have.
    public long count() {
        return parameters().stream().mapToLong(Tensor::size).sum();
    }

    @Override
    public Iterator<Entry> iterator() {
        return entries.iterator();
    }

    @Override
    public String toString() {
        return size() + " parameters with " + count() + " elements";
    }
}
