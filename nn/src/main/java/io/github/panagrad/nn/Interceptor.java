package io.github.panagrad.nn;

import io.github.panagrad.engine.Tensor;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Code around the calls of a layer, attached from outside: it may read or replace the input and
/// the output, add to the output, or leave the layer out.
///
/// Adapters and taps are interceptors; no model knows of them.
@FunctionalInterface
public interface Interceptor {
    /// Answers one call of the layer.
    ///
    /// A layer may run a second time when activations are recomputed for backward, so what is done
    /// here must not depend on how often it is done.
    ///
    /// @param layer the layer called, which knows its path
    /// @param x the input
    /// @param context what the forward pass carries along
    /// @param inner calls what lies within: earlier interceptors, in the end the layer
    Tensor around(Layer layer, Tensor x, Context context, Inner inner);

    /// Returns the weight that the layer can be taken to have instead of its own, where that is all
    /// that this does to a call; null where it is not, which is so unless an interceptor says more.
    ///
    /// Losses that take a head's weight and never call the head ask for it. Differentiable.
    ///
    /// @param weight the layer's weight as what lies within leaves it
    default @Nullable Tensor weight(Tensor weight) {
        return null;
    }

    /// What lies within an interceptor.
    interface Inner extends UnaryOperator<Tensor> {
        /// Calls it with the context of this call.
        @Override
        Tensor apply(Tensor x);

        /// Calls it with another context, such as one for some of the rows only.
        Tensor apply(Tensor x, Context context);

        /// Tells whether this is the layer itself, with no earlier interceptor around it. What
        /// computes the layer in another way instead of calling it needs to know.
        default boolean isLayer() {
            return false;
        }
    }
}
