package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.tape.Edge;
import io.github.panagrad.nn.Attachment;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.Taps;
import io.github.panagrad.nn.models.Pooling;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Pools the outputs of some layers while a model runs, so that no full states are kept for it.
///
/// What a pass collects travels in its context: passes do not see each other's.
public final class LayerStates implements Attachment {
    private static final Context.Key<Pass> KEY = new Context.Key<>("layer states");

    private final List<Layer> layers;
    private final Attachment attachment;

    /// One forward pass, and the states that it has left so far.
    private record Pass(Tensor mask, Map<Layer, Tensor> states) {}

    /// Attaches to the layers that a pattern matches.
    ///
    /// @throws PanagradException if there is none
    public LayerStates(Module root, String pattern, Pooling pooling) {
        layers = List.copyOf(root.layers(PathPattern.of(pattern)).values());
        attachment =
                Taps.onOutput(
                        root,
                        pattern,
                        (layer, hidden, context) -> {
                            Pass pass = context.find(KEY);
                            if (pass != null) {
                                Tensor state = pooling.pool(hidden, pass.mask());
                                pass.states().put(layer, state.keep());
                            }
                        });
    }

    /// Returns how many layers there are.
    public int size() {
        return layers.size();
    }

    /// A forward pass of the model.
    @FunctionalInterface
    public interface Forward {
        /// Runs the model. Shapes: → (B, T, C).
        Tensor run(Context context);
    }

    /// What a pass came to.
    ///
    /// @param hidden what the model returned
    /// @param states the pooled outputs (B, C) of the layers, in the model's order
    public record Result(Tensor hidden, List<Tensor> states) {}

    /// Runs a model and returns the pooled outputs of its layers beside its own.
    ///
    /// @param mask which tokens count, BOOL (B, T)
    /// @throws PanagradException if the model recomputes activations, which cuts states off from
    ///     their history
    public Result run(Tensor mask, Context context, Forward forward) {
        var pass = new Pass(mask, new IdentityHashMap<>());
        Tensor hidden = forward.run(context.with(KEY, pass));
        var states = new ArrayList<Tensor>();
        for (Layer layer : layers) {
            Tensor state = pass.states().get(layer);
            Edge from = state == null ? null : state.edge();
            if (state == null || (from != null && from.node().isReleased())) {
                throw new PanagradException(
                        "layerStates",
                        state == null ? "a layer was not called" : "the history of a state is gone",
                        layer.path(),
                        "",
                        "run the model that was attached to, with checkpointing(false)");
            }
            states.add(state);
        }
        return new Result(hidden, states);
    }

    @Override
    public void close() {
        attachment.close();
    }
}
