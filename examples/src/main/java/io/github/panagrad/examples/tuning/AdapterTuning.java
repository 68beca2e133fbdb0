package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.AdapterMethod;
import io.github.panagrad.adapters.Covariances;
import io.github.panagrad.adapters.spectra.ConditionNumbers;
import io.github.panagrad.adapters.spectra.KappaSelection;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.optim.ParamGroup;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleFunction;
import java.util.function.Function;

/// Trains an adapter beside the frozen model.
///
/// @param name for messages
/// @param maker makes the method, once the model and the first batches are there
/// @param targets names of layers such as `q_proj`, or patterns over their paths, or `kappa:12` for the
///     twelve with the best-conditioned weights; empty for every linear layer of attention and
///     feed-forward
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
    private static final String KAPPA = "kappa:";

    private static final double USUAL_LR = 2e-3;

    /// What a method may look at when it is made.
    ///
    /// @param task the model, without the adapter, and its data
    /// @param seed of initial values
    public record Beginning(Task<?> task, long seed) {
        /// Collects how the inputs of linear layers lie on the first batches.
        public Covariances covariances() {
            return covariances(task);
        }

        private static <B> Covariances covariances(Task<B> task) {
            return Covariances.collect(
                    task.model(),
                    String.join("|", task.linearLayers()),
                    () -> task.first().forEach(task::run));
        }

        /// Returns the tokens that the first batches have most of; of equally frequent ones the
        /// smaller.
        public int[] frequentTokens(int most) {
            var counts = new TreeMap<Integer, Integer>();
            count(task, counts);
            return counts.keySet().stream()
                    .sorted(Comparator.comparingInt(token -> -counts.getOrDefault(token, 0)))
                    .limit(most)
                    .mapToInt(Integer::intValue)
                    .toArray();
        }

        private static <B> void count(Task<B> task, Map<Integer, Integer> counts) {
            for (B batch : task.first()) {
                task.tokens(batch).forEach(token -> counts.merge(token, 1, Integer::sum));
            }
        }
    }

    /// Describes an adapter on linear layers that needs nothing special.
    public static AdapterTuning of(
            String name, Function<Beginning, AdapterMethod> maker, List<String> targets) {
        return new AdapterTuning(name, maker, targets, lr -> List.of(), USUAL_LR, 0);
    }

    @Override
    public Prepared prepare(Task<?> task, long seed) {
        Module model = task.model();
        long whole = model.parameterCount();
        AdapterMethod method = maker.apply(new Beginning(task, seed));
        Adapter adapter = method.attach(model, layers(task, targets));
        trainHeads(adapter, task);
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
                task.saveBeside(folder);
            }

            @Override
            public String describe() {
                return text;
            }
        };
    }

    /// Lets a new head train with an adapter.
    static void trainHeads(Adapter adapter, Task<?> task) {
        if (!task.heads().isEmpty()) {
            adapter.trainWhole(PathPattern.anyOf(task.heads()));
        }
    }

    /// Returns the layers of these names, or all linear ones.
    static PathPattern layers(Task<?> task, List<String> targets) {
        if (targets.isEmpty()) {
            return PathPattern.anyOf(task.linearLayers());
        }
        if (targets.getFirst().startsWith(KAPPA)) {
            return bestConditioned(task, targets.getFirst().substring(KAPPA.length()));
        }
        return PathPattern.anyOf(
                targets.stream().map(t -> t.matches("\\w+") ? "**." + t : t).toList());
    }

    private static PathPattern bestConditioned(Task<?> task, String count) {
        if (targetsOf(count) == 0) {
            throw new PanagradException(
                    "targets", "not a number of layers", count, KAPPA + "12, for example", "");
        }
        var blocks = task.selection().blocks(b -> true);
        var conditions = ConditionNumbers.of(blocks, Integer.MAX_VALUE);
        return KappaSelection.lowest(conditions, targetsOf(count), ConditionNumbers.Ranking.RAW)
                .layers();
    }

    private static int targetsOf(String count) {
        return count.matches("[1-9]\\d{0,5}") ? Integer.parseInt(count) : 0;
    }
}
