package io.github.panagrad.adapters;

import io.github.panagrad.nn.PathPattern;

/// A method as the tests attach it.
///
/// @param name for messages
/// @param method the method
/// @param targets what it is attached to
/// @param startsAsBase whether the model is unchanged at first
/// @param merges whether it can be merged into weights
record MethodCase(
        String name,
        AdapterMethod method,
        PathPattern targets,
        boolean startsAsBase,
        boolean merges) {
    static final PathPattern LINEAR = PathPattern.of("model.layers.**.{q,k,v,o,gate,up,down}_proj");

    /// A method of linear layers that starts as the base model and merges.
    static MethodCase linear(String name, AdapterMethod method) {
        return new MethodCase(name, method, LINEAR, true, true);
    }

    @Override
    public String toString() {
        return name;
    }
}
