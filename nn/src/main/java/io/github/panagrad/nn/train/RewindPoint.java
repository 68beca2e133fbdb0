package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// Values of parameters to come back to, bit for bit.
public final class RewindPoint {
    private final Map<Parameter, Tensor> values;

    private RewindPoint(Map<Parameter, Tensor> values) {
        this.values = Collections.unmodifiableMap(values);
    }

    /// Copies the values that parameters have now.
    public static RewindPoint of(Collection<Parameter> parameters) {
        var values = new LinkedHashMap<Parameter, Tensor>();
        Ops.noGrad(() -> {
            parameters.forEach(p -> values.put(p, p.detach().copy().keep()));
            return null;
        });
        return new RewindPoint(values);
    }

    /// Returns the values that the parameters had.
    public Map<Parameter, Tensor> values() {
        return values;
    }

    /// Gives the parameters their values back.
    public void rewind() {
        values.forEach(Parameter::assign);
    }
}
