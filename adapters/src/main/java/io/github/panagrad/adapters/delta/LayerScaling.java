package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import java.util.LinkedHashMap;
import java.util.Map;

/// Scales a change by depth after training, so that shallow blocks, which hold what is general, change
/// less than deep ones (LiNeS, Wang et al., arXiv 2410.17146).
///
/// Block l of L is multiplied by α + β·l/(L−1), what is outside of the blocks by α, unless told
/// otherwise. With a single block its factor is α + β.
///
/// ```java
/// Delta scaled = LayerScaling.linear(0.2, 0.8).apply(delta, model.selection());
/// ```
///
/// @param alpha α, the factor of the first block
/// @param beta β, what the last block has more
/// @param outside the factor of everything outside of the blocks but the head
/// @param head the factor of the head, which in a language model is the last layer
public record LayerScaling(double alpha, double beta, double outside, double head) {
    /// Checks that the factors are numbers.
    public LayerScaling {
        if (!Double.isFinite(alpha + beta + outside + head)) {
            throw new PanagradException(
                    "layer scaling",
                    "a factor is not finite",
                    alpha + ", " + beta + ", " + outside + ", " + head,
                    "numbers",
                    "");
        }
    }

    /// Creates a scaling with the factor α outside of the blocks, the head included, as the authors'
    /// code has it.
    public static LayerScaling linear(double alpha, double beta) {
        return new LayerScaling(alpha, beta, alpha, alpha);
    }

    /// Creates the scaling for a change merged from several ones: α makes it as long as the mean of
    /// them, as Σ|τ| goes.
    ///
    /// @param merged what was made of them
    /// @param deltas the changes that were merged
    /// @param beta chosen on validation data, from 0.1 to 1, or to 1.5 for TIES
    /// @throws PanagradException if the merged change is zero
    public static LayerScaling forMerge(Delta merged, Iterable<Delta> deltas, double beta) {
        Delta sum = Delta.of(Map.of());
        int count = 0;
        for (Delta delta : deltas) {
            sum = sum.plus(delta);
            count++;
        }
        double length = Entries.sumOfMagnitudes(merged);
        if (!(length > 0)) {
            throw new PanagradException(
                    "layer scaling", "the merged change is zero", merged.toString(), "", "");
        }
        return linear(Entries.sumOfMagnitudes(sum) / length / count, beta);
    }

    /// Returns the same with another factor outside of the blocks, and for the head.
    public LayerScaling outside(double factor) {
        return new LayerScaling(alpha, beta, factor, factor);
    }

    /// Returns the same with another factor for the head, such as α + β. A head that is tied to the
    /// embedding has none of its own.
    public LayerScaling head(double factor) {
        return new LayerScaling(alpha, beta, outside, factor);
    }

    /// Returns the factor of a block.
    ///
    /// @param block its number from 0
    /// @param blocks how many there are
    public double factor(int block, int blocks) {
        return blocks == 1 ? alpha + beta : alpha + beta * block / (blocks - 1);
    }

    /// Returns the scaled change.
    ///
    /// @param where tells which parameter is in which block: all of the model's, as by
    ///     `model.selection()`
    /// @throws PanagradException if the selection lacks a parameter that changes
    public Delta apply(Delta delta, ParamSelection where) {
        Map<String, Double> factors = factors(where);
        return delta.scaleByPath(path -> {
            Double factor = factors.get(path);
            if (factor == null) {
                throw Delta.notSelected(path);
            }
            return factor;
        });
    }

    /// Returns the factor of each of some layers, by path. Given to an adapter as its
    /// `layerStrengths` they scale what it does as [#apply] scales its change, exact and at once.
    ///
    /// @param layers their paths, such as an adapter's `targets()`
    /// @param where tells which parameter is in which block: all of the model's
    /// @throws PanagradException if the selection lacks the weight of a layer
    public Map<String, Double> layerFactors(Iterable<String> layers, ParamSelection where) {
        Map<String, Double> factors = factors(where);
        var byLayer = new LinkedHashMap<String, Double>();
        for (String layer : layers) {
            Double factor = factors.get(layer + ".weight");
            if (factor == null) {
                throw Delta.notSelected(layer + ".weight");
            }
            byLayer.put(layer, factor);
        }
        return byLayer;
    }

    /// Returns the factor of each parameter, by path.
    public Map<String, Double> factors(ParamSelection where) {
        int blocks = 1 + where.entries().stream().mapToInt(e -> e.block()).max().orElse(-1);
        var factors = new LinkedHashMap<String, Double>();
        for (ParamSelection.Entry e : where) {
            double elsewhere = e.category() == ParamCategory.HEAD ? head : outside;
            factors.put(e.path(), e.block() < 0 ? elsewhere : factor(e.block(), blocks));
        }
        return factors;
    }
}
