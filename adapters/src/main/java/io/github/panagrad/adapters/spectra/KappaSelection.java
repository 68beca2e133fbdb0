package io.github.panagrad.adapters.spectra;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.PathPattern;
import java.util.List;
import java.util.Set;

/// The parameters with the lowest condition numbers, for training those alone: a high one marks a
/// specialised, compressing matrix that holds what pre-training has taught (KappaTune, by the code of
/// O. Ludwig).
///
/// It is a choice and nothing more: of parameters to train with any optimizer, or of layers for any
/// adapter. The published helper for adapters cuts a set of names to its size in no order; here the
/// lowest are taken.
///
/// @param paths of the parameters, the best conditioned first
public record KappaSelection(List<String> paths) {
    private static final String WEIGHT = ".weight";

    /// Copies the paths.
    public KappaSelection {
        paths = List.copyOf(paths);
    }

    /// Takes the lowest ones.
    ///
    /// @param count how many
    /// @throws PanagradException if there are fewer
    public static KappaSelection lowest(
            ConditionNumbers conditions, int count, ConditionNumbers.Ranking ranking) {
        List<String> ranked = conditions.ranked(ranking);
        if (count < 0 || count > ranked.size()) {
            throw new PanagradException(
                    "kappa",
                    "no such number of tensors",
                    "" + count,
                    "0 to " + ranked.size(),
                    conditions.skipped().isEmpty()
                            ? ""
                            : "skipped: " + conditions.skipped().keySet());
        }
        return new KappaSelection(ranked.subList(0, count));
    }

    /// Takes the lowest ones as long as they have no more entries together than allowed: what makes
    /// choices of matrices of different sizes comparable.
    ///
    /// @param budget the number of entries
    public static KappaSelection lowestByParameters(
            ConditionNumbers conditions, long budget, ConditionNumbers.Ranking ranking) {
        List<String> ranked = conditions.ranked(ranking);
        long used = 0;
        int count = 0;
        for (String path : ranked) {
            Condition c = conditions.byPath().get(path);
            used += c == null ? 0 : c.size();
            if (used > budget) {
                break;
            }
            count++;
        }
        return new KappaSelection(ranked.subList(0, count));
    }

    /// Returns the chosen ones of some parameters.
    ///
    /// @throws PanagradException if one is not among them
    public ParamSelection of(ParamSelection all) {
        var wanted = Set.copyOf(paths);
        ParamSelection chosen = all.where(e -> wanted.contains(e.path()));
        if (chosen.size() != wanted.size()) {
            throw new PanagradException(
                    "kappa",
                    "the model lacks parameters that were chosen",
                    chosen.size() + " of " + wanted.size(),
                    "the model whose condition numbers were taken",
                    "");
        }
        return chosen;
    }

    /// Returns the pattern of the layers whose weights these are, for an adapter to attach to.
    ///
    /// @throws PanagradException if nothing is chosen
    public PathPattern layers() {
        List<String> layers =
                paths.stream()
                        .filter(p -> p.endsWith(WEIGHT))
                        .map(p -> p.substring(0, p.length() - WEIGHT.length()))
                        .toList();
        if (layers.isEmpty()) {
            throw new PanagradException(
                    "kappa", "no layer is chosen", paths.toString(), "at least one", "");
        }
        return PathPattern.anyOf(layers);
    }
}
