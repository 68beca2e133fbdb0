package io.github.panagrad.adapters;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.LinkedHashMap;
import java.util.Map;

/// How much the directions of one [AdaLoraLayer] matter, followed step by step (Zhang et al., arXiv
/// 2303.10512, section 3.2).
final class AdaLoraImportance {
    private final Map<String, Average> averages = new LinkedHashMap<>();
    private final Average down;
    private final Average values;
    private final Average up;
    private final int rank;

    AdaLoraImportance(Parameter down, Parameter values, Parameter up) {
        this.down = average("A", down);
        this.values = average("E", values);
        this.up = average("B", up);
        rank = values.dim(0);
    }

    private Average average(String name, Parameter parameter) {
        var average = new Average(parameter);
        averages.put(name, average);
        return average;
    }

    /// Moving averages of how much the entries of a tensor matter, |p·∂L/∂p|, and of how uncertain
    /// that is.
    private static final class Average {
        private final Parameter parameter;
        private double[] sensitivity;
        private double[] uncertainty;

        Average(Parameter parameter) {
            this.parameter = parameter;
            sensitivity = new double[Math.toIntExact(parameter.size())];
            uncertainty = new double[sensitivity.length];
        }

        void update(Grads grads, double count, AdaLora method) {
            var found = grads.find(parameter);
            if (found.isEmpty()) {
                return;
            }
            double[] g = found.get().toDoubles();
            double[] p = parameter.toDoubles();
            double b1 = method.sensitivityDecay();
            double b2 = method.uncertaintyDecay();
            for (int i = 0; i < p.length; i++) {
                double now = Math.abs(p[i] * g[i] / count);
                sensitivity[i] = b1 * sensitivity[i] + (1 - b1) * now;
                double off = Math.abs(now - sensitivity[i]);
                uncertainty[i] = b2 * uncertainty[i] + (1 - b2) * off;
            }
        }

        double score(int i) {
            return sensitivity[i] * uncertainty[i];
        }
    }

    /// Takes the gradients of a step into account.
    void update(Grads grads, double count, AdaLora method) {
        averages.values().forEach(average -> average.update(grads, count, method));
    }

    /// Returns the score of a direction: that of its value, and the means of its vectors.
    double score(int k) {
        int in = rank == 0 ? 0 : down.sensitivity.length / rank;
        int out = rank == 0 ? 0 : up.sensitivity.length / rank;
        double right = 0;
        for (int j = 0; j < in; j++) {
            right += down.score(k * in + j) / in;
        }
        double left = 0;
        for (int i = 0; i < out; i++) {
            left += up.score(i * rank + k) / out;
        }
        return values.score(k) + right + left;
    }

    /// Returns the averages by name, for the state of a run.
    Map<String, Tensor> state() {
        var state = new LinkedHashMap<String, Tensor>();
        averages.forEach((name, a) -> {
            state.put(name + ".sensitivity", Ops.tensor64(a.sensitivity, a.sensitivity.length));
            state.put(name + ".uncertainty", Ops.tensor64(a.uncertainty, a.uncertainty.length));
        });
        return state;
    }

    /// Takes over what [#state] returned.
    void load(Map<String, Tensor> state) {
        averages.forEach((name, a) -> {
            a.sensitivity = read(state, name + ".sensitivity", a.sensitivity.length);
            a.uncertainty = read(state, name + ".uncertainty", a.uncertainty.length);
        });
    }

    private static double[] read(Map<String, Tensor> state, String name, int length) {
        Tensor found = state.get(name);
        if (found == null || found.size() != length) {
            throw new PanagradException(
                    "adalora",
                    "averages of another adapter",
                    name + (found == null ? " is missing" : " " + found.spec()),
                    length + " numbers",
                    "resume with the method that the run began with");
        }
        return found.toDoubles();
    }
}
