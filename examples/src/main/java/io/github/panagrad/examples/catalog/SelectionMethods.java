package io.github.panagrad.examples.catalog;

import io.github.panagrad.adapters.spectra.ConditionNumbers;
import io.github.panagrad.adapters.spectra.KappaSelection;
import io.github.panagrad.examples.tuning.Method;
import io.github.panagrad.examples.tuning.OwnParameters;
import io.github.panagrad.nn.ParamSelection;
import java.util.List;

/// Methods that choose some of the model's own parameters by what their values say.
final class SelectionMethods {
    /// Larger matrices, such as embeddings, are not decomposed.
    private static final int MAX_DIM = 4096;

    private SelectionMethods() {}

    static List<Entry<Method>> all() {
        Entry<Method> kappa =
                Entry.of(
                        "kappa",
                        "the matrices with the lowest condition numbers",
                        "κ = σ₁/σ_min, lowest first",
                        "KappaTune, github.com/oswaldoludwig/kappaTune",
                        KappaSelection.class,
                        s ->
                                new OwnParameters(
                                        "best-conditioned matrices", all -> kappa(all, s), 5e-4));
        return List.of(
                kappa.with(
                        Setting.of("tensors", 12, "how many matrices train"),
                        Setting.of("parameters", "", "instead, how many entries they may have"),
                        Setting.of("ranking", "raw", "or relative: κ over that of random ones")));
    }

    private static ParamSelection kappa(ParamSelection all, Settings s) {
        var ranking = s.choice("ranking", ConditionNumbers.Ranking.class);
        var conditions = ConditionNumbers.of(all, MAX_DIM);
        var chosen =
                s.has("parameters")
                        ? KappaSelection.lowestByParameters(
                                conditions, s.integer("parameters"), ranking)
                        : KappaSelection.lowest(conditions, s.integer("tensors"), ranking);
        return chosen.of(all);
    }
}
