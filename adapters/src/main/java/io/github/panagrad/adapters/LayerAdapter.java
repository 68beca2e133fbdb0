package io.github.panagrad.adapters;

import io.github.panagrad.adapters.delta.DenseDelta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A method's part around one layer.
///
/// Its parameters have the names that they have in PEFT's files behind the layer's path, such as
/// `lora_A.weight`; in the model they are found under the layer's path and the adapter's name.
public abstract class LayerAdapter extends Module {
    /// Creates a part without parameters.
    protected LayerAdapter() {}

    /// Computes the layer's output with the adapter.
    ///
    /// @param layer the layer, which tells whether it is in training mode
    /// @param inner the layer without the adapter
    protected abstract Tensor forward(
            Layer layer, Tensor x, Context context, Interceptor.Inner inner);

    /// Returns what is written to files, by name.
    protected Map<String, Tensor> saved() {
        return stateDict();
    }

    /// Takes over what was read from files, by name.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if it is not what is wanted
    protected void restore(Map<String, Tensor> saved) {
        load(saved);
    }

    /// Returns what the layer's weight would have to be to do the adapter's work too, or null if no
    /// weight does. Called without a tape.
    ///
    /// @param weight the weight of the linear layer or the table of the embedding, widened. Shapes:
    ///     (out, in).
    protected @Nullable Tensor mergedWeight(Tensor weight) {
        return null;
    }

    /// Returns what the layer's weight would have to be to do the adapter's work too, differentiably,
    /// for losses that take a head's weight without calling the head; null if they have to call it.
    ///
    /// @param weight the weight of the layer. Shapes: (out, in).
    protected @Nullable Tensor effectiveWeight(Tensor weight) {
        return null;
    }

    /// Returns the change of the layer's weight that does the adapter's work, or null if none does.
    /// Called without a tape; a method whose change is a product of small factors returns these.
    ///
    /// @param weight the weight of the linear layer, widened. Shapes: (out, in).
    protected @Nullable TensorDelta weightDelta(Tensor weight) {
        Tensor merged = mergedWeight(weight);
        return merged == null ? null : DenseDelta.of(merged.sub(weight));
    }

    /// Returns what the layer's bias would have to be. Shapes: (out).
    protected Tensor mergedBias(Tensor bias) {
        return bias;
    }
}
