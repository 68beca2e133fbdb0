package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.AdapterMethod;
import io.github.panagrad.adapters.Covariances;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.ParamGroup;
import java.nio.file.Path;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/// Trains an adapter beside the frozen model.
///
/// @param name for messages
/// @param maker makes the method, once the model and the first batches are there
/// @param targets names of layers such as `q_proj`, or patterns over their paths
/// @param groups settings of their own for some parameters, by the learning rate of the others
/// @param usualLr a learning rate
/// @param positions of the model's context that it takes
public record AdapterTuning(
        String name,
        Function<Beginning, AdapterMethod> maker,
        List<String> targets,
        DoubleFunction<List<ParamGroup>> groups,
        double usualLr,
        int positions)
        implements Method {
    /// Every linear layer of attention and feed-forward.
    public static final List<String> ALL_LINEAR =
            List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

    private static final double USUAL_LR = 2e-3;

    /// What a method may look at when it is made.
    ///
    /// @param model the model, without the adapter
    /// @param first the first batches
    /// @param seed of initial values
    public record Beginning(CausalLM model, Supplier<List<Batch>> first, long seed) {
        /// Collects how the inputs of linear layers lie on the first batches.
        public Covariances covariances() {
            return Covariances.collect(
                    model, "model.layers.**_proj", () -> first.get().forEach(model::hidden));
        }
    }

    /// Describes an adapter on linear layers that needs nothing special.
    public static AdapterTuning of(
            String name, Function<Beginning, AdapterMethod> maker, List<String> targets) {
        return new AdapterTuning(name, maker, targets, lr -> List.of(), USUAL_LR, 0);
    }

    @Override
    public Prepared prepare(CausalLM model, long seed, Supplier<List<Batch>> first) {
        long whole = model.parameterCount();
        AdapterMethod method = maker.apply(new Beginning(model, first, seed));
        Adapter adapter = method.attach(model, pattern());
        String text =
                "%s on %d layers, %,d parameters beside %,d"
                        .formatted(name, adapter.targets().size(), model.trainableCount(), whole);
        return new Prepared() {
            @Override
            public Adapter adapter() {
                return adapter;
            }

            @Override
            public List<ParamGroup> groups(double lr) {
                return groups.apply(lr);
            }

            @Override
            public void save(Path folder) {
                adapter.save(folder);
            }

            @Override
            public String describe() {
                return text;
            }
        };
    }

    private PathPattern pattern() {
        return PathPattern.anyOf(
                targets.stream().map(t -> t.matches("\\w+") ? "**." + t : t).toList());
    }
}
