package io.github.panagrad.nn;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// Modules under the names 0, 1, 2 …
///
/// @param <M> their class
public final class ModuleList<M extends Module> extends Module implements Iterable<M> {
    private final List<M> items = new ArrayList<>();

    /// Creates a list of the given modules.
    public ModuleList(List<M> modules) {
        for (M module : modules) {
            items.add(register(Integer.toString(items.size()), module));
        }
    }

    /// Returns the module with a number.
    public M get(int index) {
        return items.get(index);
    }

    /// Returns how many there are.
    public int size() {
        return items.size();
    }

    @Override
    public Iterator<M> iterator() {
        return List.copyOf(items).iterator();
    }

    @Override
    protected String describe() {
        return "× " + items.size();
    }
}
