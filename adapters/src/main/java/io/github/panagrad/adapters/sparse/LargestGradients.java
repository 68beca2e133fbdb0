package io.github.panagrad.adapters.sparse;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.optim.ParamMask;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/// Scores entries by their gradients, added up in absolute value over some batches.
///
/// Source: in the manner of SIFT, arXiv 2312.11875.
public final class LargestGradients implements MaskRule {
    private final Map<Parameter, float[]> sums = new LinkedHashMap<>();

    /// Starts with nothing added up.
    public LargestGradients(Collection<Parameter> parameters) {
        for (Parameter p : parameters) {
            sums.put(p, new float[p.shape().intSize()]);
        }
    }

    /// Adds one batch's gradients.
    public void add(Grads grads) {
        sums.forEach((parameter, sum) ->
                grads.find(parameter)
                        .ifPresent(grad -> {
                            float[] values = grad.toFloats();
                            for (int i = 0; i < sum.length; i++) {
                                sum[i] += Math.abs(values[i]);
                            }
                        }));
    }

    @Override
    public float[] scores(Parameter parameter, int place) {
        float[] sum = sums.get(parameter);
        if (sum == null) {
            throw new PanagradException(
                    "largest gradients",
                    "none were added up for parameter " + parameter.name(),
                    sums.size() + " others",
                    "one of the parameters that it was made for",
                    "");
        }
        return sum;
    }

    /// Chooses a share of the entries of the parameters that it was made for.
    ///
    /// @param density from above 0 to 1; at least one entry is chosen
    public Map<Parameter, ParamMask> masks(double density) {
        return chooseShare(sums.keySet(), density);
    }
}
