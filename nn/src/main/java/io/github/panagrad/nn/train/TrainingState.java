package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.SafeTensors;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.optim.Optimizer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// A run's state in one file: the trained parameters, what optimizer and objective remember, and
/// where the data stands.
///
/// @param step how many steps were taken
/// @param epoch the pass over the data that the next batch is of
/// @param batch how many batches of that pass are used up
/// @param tokens how many tokens were predicted
/// @param seed the run's seed
record TrainingState(long step, int epoch, long batch, long tokens, long seed) {
    private static final String PARAMETER = "parameter/";
    private static final String OPTIMIZER = "optimizer/";
    private static final String OBJECTIVE = "objective/";

    void save(Path file, Optimizer optimizer, Objective<?> objective) {
        var tensors = new LinkedHashMap<String, Tensor>();
        for (Parameter p : optimizer.parameters()) {
            tensors.put(PARAMETER + p.name(), p);
        }
        optimizer.state().forEach((name, t) -> tensors.put(OPTIMIZER + name, t));
        objective.state().forEach((name, t) -> tensors.put(OBJECTIVE + name, t));
        TensorFiles.write(
                file,
                tensors,
                Map.of(
                        "step", Long.toString(step),
                        "epoch", Integer.toString(epoch),
                        "batch", Long.toString(batch),
                        "tokens", Long.toString(tokens),
                        "seed", Long.toString(seed)));
    }

    static TrainingState load(Path file, Optimizer optimizer, Objective<?> objective) {
        SafeTensors stored = SafeTensors.open(file);
        var rest = new LinkedHashMap<String, Tensor>();
        var values = new LinkedHashMap<String, Tensor>();
        var remembered = new LinkedHashMap<String, Tensor>();
        for (var entry : stored.entries()) {
            Tensor t = TensorFiles.tensor(entry);
            if (entry.name().startsWith(PARAMETER)) {
                values.put(entry.name().substring(PARAMETER.length()), t);
            } else if (entry.name().startsWith(OPTIMIZER)) {
                rest.put(entry.name().substring(OPTIMIZER.length()), t);
            } else if (entry.name().startsWith(OBJECTIVE)) {
                remembered.put(entry.name().substring(OBJECTIVE.length()), t);
            }
        }
        for (Parameter p : optimizer.parameters()) {
            Tensor t = values.remove(p.name());
            if (t == null || !t.shape().equals(p.shape())) {
                throw new PanagradException(
                        file.toString(),
                        "does not fit parameter " + p.name(),
                        t == null ? "none of that name" : t.spec().toString(),
                        p.spec().toString(),
                        "resume with the model and method that the run began with");
            }
        }
        objective.load(remembered);
        optimizer.load(rest);
        for (Parameter p : optimizer.parameters()) {
            p.assign(TensorFiles.tensor(stored.get(PARAMETER + p.name())));
        }
        return new TrainingState(
                number(stored, "step"),
                Math.toIntExact(number(stored, "epoch")),
                number(stored, "batch"),
                number(stored, "tokens"),
                number(stored, "seed"));
    }

    private static long number(SafeTensors stored, String field) {
        String text = stored.metadata().get(field);
        try {
            return Long.parseLong(text == null ? "" : text);
        } catch (NumberFormatException e) {
            throw new PanagradException(
                    stored.path().toString(),
                    "no state of a training run",
                    field + " = " + text,
                    "a file that a trainer has written",
                    "");
        }
    }
}
