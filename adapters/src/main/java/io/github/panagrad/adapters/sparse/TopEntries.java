package io.github.panagrad.adapters.sparse;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.optim.ParamMask;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Chooses the entries with the largest scores over several parameters, exactly as many as asked for.
///
/// Scores are not below zero, so that their bits have their order: the threshold is found by a
/// histogram of the upper bits and one of the lower bits behind the place that it points to. One
/// parameter's scores are in memory at a time.
final class TopEntries {
    private static final int LOW_BITS = 15;
    private static final int LOW_MASK = (1 << LOW_BITS) - 1;
    private static final int BINS =
            (Float.floatToIntBits(Float.POSITIVE_INFINITY) >>> LOW_BITS) + 1;

    private final MaskRule rule;
    private final List<Parameter> parameters;
    private final Map<Parameter, BitSet> taken = new LinkedHashMap<>();

    /// Sees the bits of the score of every entry that may be chosen, in order.
    private interface Visitor {
        void see(Parameter parameter, int entry, int bits);
    }

    TopEntries(MaskRule rule, List<Parameter> parameters, Map<Parameter, ParamMask> taken) {
        this.rule = rule;
        this.parameters = parameters;
        taken.forEach((parameter, mask) -> {
            var bits = new BitSet();
            for (int entry : mask.entries()) {
                bits.set(entry);
            }
            this.taken.put(parameter, bits);
        });
    }

    Map<Parameter, ParamMask> choose(long k) {
        long free =
                parameters.stream().mapToLong(Tensor::size).sum()
                        - parameters.stream()
                                .map(taken::get)
                                .mapToLong(TopEntries::cardinality)
                                .sum();
        if (k < 1 || k > free) {
            throw new PanagradException(
                    "mask",
                    "cannot choose that many entries",
                    k + " of " + free,
                    "from 1 to as many as there are",
                    k < 1 ? "" : "lower the density, or let more parameters take part");
        }
        long[] high = new long[BINS];
        forEach((parameter, entry, bits) -> high[bits >>> LOW_BITS]++);
        long[] above = {0};
        int upper = bin(high, k, above);
        long[] low = new long[LOW_MASK + 1];
        forEach((parameter, entry, bits) -> {
            if (bits >>> LOW_BITS == upper) {
                low[bits & LOW_MASK]++;
            }
        });
        int threshold = upper << LOW_BITS | bin(low, k, above);
        return masks(threshold, k - above[0]);
    }

    private static long cardinality(@Nullable BitSet bits) {
        return bits == null ? 0 : bits.cardinality();
    }

    /// Returns the bin that the k-th largest lies in, and adds up those in higher bins.
    private static int bin(long[] counts, long k, long[] above) {
        int bin = counts.length - 1;
        while (above[0] + counts[bin] < k) {
            above[0] += counts[bin--];
        }
        return bin;
    }

    private Map<Parameter, ParamMask> masks(int threshold, long ties) {
        var live = new LinkedHashMap<Parameter, BitSet>();
        parameters.forEach(p -> live.put(p, new BitSet()));
        long[] left = {ties};
        forEach((parameter, entry, bits) -> {
            if (bits > threshold || bits == threshold && left[0]-- > 0) {
                live.getOrDefault(parameter, new BitSet()).set(entry);
            }
        });
        var masks = new LinkedHashMap<Parameter, ParamMask>();
        live.forEach((parameter, bits) ->
                masks.put(
                        parameter,
                        bits.cardinality() == parameter.size()
                                ? ParamMask.all(bits.cardinality())
                                : ParamMask.of(bits)));
        return masks;
    }

    private void forEach(Visitor visitor) {
        for (int place = 0; place < parameters.size(); place++) {
            Parameter parameter = parameters.get(place);
            float[] scores = rule.scores(parameter, place);
            BitSet skipped = taken.get(parameter);
            for (int i = 0; i < scores.length; i++) {
                if (!(scores[i] >= 0)) {
                    throw new PanagradException(
                            "mask of " + parameter.name(),
                            "the score of entry " + i + " is not one",
                            "" + scores[i],
                            "0 or more",
                            "are the weights or gradients finite?");
                }
                if (skipped == null || !skipped.get(i)) {
                    visitor.see(parameter, i, Float.floatToIntBits(scores[i] + 0f));
                }
            }
        }
    }
}
