package io.github.panagrad.adapters.sparse;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.optim.ParamMask;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/// Says which entries of some parameters train: those with the largest scores, over all parameters
/// together.
///
/// ```java
/// MaskRule.largestMagnitude().choose(model.trainable(), 1000).forEach(optimizer::mask);
/// ```
@FunctionalInterface
public interface MaskRule {
    /// Returns the scores of a parameter's entries in row-major order, none below 0.
    ///
    /// Called several times for one choice; it answers the same each time.
    ///
    /// @param place the parameter's number among those that are chosen from
    float[] scores(Parameter parameter, int place);

    /// Scores entries by how far they are from other values.
    ///
    /// Source: the lottery ticket's rule, Ansell et al., arXiv 2110.07560, section 3.
    ///
    /// @param from the values that the entries have come from; for every parameter
    static MaskRule largestChange(Map<Parameter, ? extends Tensor> from) {
        return (parameter, place) -> {
            Tensor origin = from.get(parameter);
            if (origin == null) {
                throw new PanagradException(
                        "largest change",
                        "no earlier values of parameter " + parameter.name(),
                        from.size() + " others",
                        "those of every parameter that is chosen from",
                        "");
            }
            return magnitudes(Ops.noGrad(() -> parameter.detach().sub(origin)));
        };
    }

    /// Scores entries by their magnitude.
    static MaskRule largestMagnitude() {
        return (parameter, place) -> magnitudes(parameter);
    }

    /// Draws entries, each as likely as any other.
    static MaskRule random(long seed) {
        return (parameter, place) -> {
            var draw = new Rng.Draw(seed, place);
            float[] scores = new float[parameter.shape().intSize()];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = draw.uniform(i);
            }
            return scores;
        };
    }

    private static float[] magnitudes(Tensor values) {
        float[] scores = values.toFloats();
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Math.abs(scores[i]);
        }
        return scores;
    }

    /// Chooses exactly k entries and returns a mask for every parameter, of none where none is
    /// chosen.
    ///
    /// Ties go to the earlier parameter, then to the lower index. A parameter that comes twice, such
    /// as a tied embedding, counts once.
    ///
    /// @throws PanagradException if there are fewer than k entries, or k is below 1
    default Map<Parameter, ParamMask> choose(Collection<Parameter> parameters, long k) {
        return choose(parameters, k, Map.of());
    }

    /// Chooses exactly k entries among those that are not taken yet.
    ///
    /// @param taken entries that are not chosen again
    default Map<Parameter, ParamMask> choose(
            Collection<Parameter> parameters, long k, Map<Parameter, ParamMask> taken) {
        return new TopEntries(this, List.copyOf(new LinkedHashSet<>(parameters)), taken).choose(k);
    }

    /// Chooses a share of the entries, rounded; at least one.
    ///
    /// @param density from above 0 to 1
    default Map<Parameter, ParamMask> chooseShare(
            Collection<Parameter> parameters, double density) {
        return choose(parameters, count(parameters, density));
    }

    /// Returns how many entries a share of them is, rounded; at least one.
    ///
    /// @param density from above 0 to 1
    static long count(Collection<Parameter> parameters, double density) {
        if (!(density > 0 && density <= 1)) {
            throw new PanagradException(
                    "density", "out of range", "" + density, "above 0, at most 1", "");
        }
        long all = new LinkedHashSet<>(parameters).stream().mapToLong(Tensor::size).sum();
        return Math.max(1, Math.round(density * all));
    }
}
