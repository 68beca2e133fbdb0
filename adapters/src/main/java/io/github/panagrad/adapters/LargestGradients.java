package io.github.panagrad.adapters;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.optim.ParamMask;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/// Chooses which entries of some parameters train: those with the largest gradients, added up in
/// absolute value over some batches.
///
/// The choice is made over all parameters together, not in each by itself.
public final class LargestGradients {
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

    /// Returns a mask a parameter, which together leave exactly this share of the entries live.
    ///
    /// Ties go to the earlier parameter, then to the lower index.
    ///
    /// @param density from above 0 to 1; at least one entry is chosen
    public Map<Parameter, ParamMask> masks(double density) {
        if (!(density > 0 && density <= 1)) {
            throw new PanagradException(
                    "density", "out of range", "" + density, "above 0, at most 1", "");
        }
        long total = sums.values().stream().mapToLong(a -> a.length).sum();
        long wanted = Math.max(1, Math.round(density * total));
        int threshold = thresholdBits(wanted);
        long above = count(threshold + 1);
        long ties = wanted - above;
        var masks = new LinkedHashMap<Parameter, ParamMask>();
        for (var entry : sums.entrySet()) {
            float[] sum = entry.getValue();
            var live = new BitSet(sum.length);
            for (int i = 0; i < sum.length; i++) {
                int bits = Float.floatToIntBits(sum[i]);
                if (bits > threshold || bits == threshold && ties-- > 0) {
                    live.set(i);
                }
            }
            masks.put(entry.getKey(), ParamMask.of(live));
        }
        return masks;
    }

    /// Finds the largest bit pattern that at least `wanted` sums reach: the bits of floats that are
    /// not negative have the order of the floats.
    private int thresholdBits(long wanted) {
        int low = 0;
        int high = Float.floatToIntBits(Float.POSITIVE_INFINITY);
        while (low < high) {
            int middle = low + (high - low + 1) / 2;
            if (count(middle) >= wanted) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    private long count(int bits) {
        long count = 0;
        for (float[] sum : sums.values()) {
            for (float value : sum) {
                count += Float.floatToIntBits(value) >= bits ? 1 : 0;
            }
        }
        return count;
    }
}
