package io.github.panagrad.adapters;

import io.github.panagrad.nn.PathPattern;
import java.util.stream.Stream;

/// Methods that make a change of the weight, or a turn or scale of its input or output, from few
/// parameters.
final class FactoredMethods {
    private FactoredMethods() {}

    static Stream<MethodCase> all() {
        return Stream.of(
                MethodCase.linear("loha", Loha.rank(2).alpha(4).seed(1)),
                MethodCase.linear("lokr", Lokr.rank(1).alpha(2).seed(1)),
                MethodCase.linear(
                        "lokr of products", Lokr.rank(1).decomposeBoth(true).factor(4).seed(1)),
                MethodCase.linear("vera", Vera.rank(5).seed(1)),
                MethodCase.linear("ia3", Ia3.standard()),
                // Three steps of 0.02 switch weights off.
                new MethodCase(
                        "mask",
                        new MaskTuning(0.03, 0, 1e-4),
                        PathPattern.of("model.layers.**.{q,k,v,o}_proj"),
                        true,
                        true),
                MethodCase.linear("oft", Oft.blocks(4)),
                MethodCase.linear("oft with an inverse", Oft.blocks(8).neumannTerms(0)),
                MethodCase.linear("oft of one block", Oft.blocks(4).shared(true)),
                MethodCase.linear("oft with a bound", Oft.blocks(4).bound(0.05)));
    }
}
