package io.github.panagrad.adapters;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Gives the ranks of low-rank detours to the layers whose inputs can use them (EVA, Paischer et al.,
/// arXiv 2410.07170, section 3.2).
public final class Eva {
    private Eva() {}

    private record Direction(String path, double explained) {}

    /// Spreads as many directions as `rank` gives all layers together over the layers, those that
    /// explain most of their layer's inputs first.
    ///
    /// @param rank the mean rank
    /// @param rho how far a layer may exceed it: at most rho · rank; 1 leaves all at `rank`
    /// @return the rank of each layer; 0 for one that gets no detour
    public static Map<String, Integer> ranks(Covariances inputs, int rank, double rho) {
        if (!(rho >= 1 && Double.isFinite(rho))) {
            throw new PanagradException("eva", "rho out of range", "" + rho, "1 or more", "");
        }
        int most = (int) Math.floor(rho * rank);
        List<Direction> all = new ArrayList<>();
        var ranks = new LinkedHashMap<String, Integer>();
        for (String path : inputs.paths()) {
            ranks.put(path, 0);
            double[] explained = inputs.explained(path);
            for (int i = 0; i < Math.min(most, explained.length); i++) {
                all.add(new Direction(path, explained[i]));
            }
        }
        all.sort(Comparator.comparingDouble(Direction::explained).reversed());
        all.stream()
                .limit((long) rank * ranks.size())
                .forEach(d -> ranks.merge(d.path, 1, Integer::sum));
        return ranks;
    }

    /// Returns settings that begin with the directions of the inputs and with a rank of its own for
    /// each layer; one of rank 0 gets no detour.
    ///
    /// @param rho how far a layer may exceed the settings' rank, at least 1
    public static Lora redistributed(Lora lora, Covariances inputs, double rho) {
        Lora spread = lora.init(LoraInit.eva(inputs));
        for (var entry : ranks(inputs, lora.rank(), rho).entrySet()) {
            spread = spread.rankOf(entry.getKey().replace(".", "\\."), entry.getValue());
        }
        return spread;
    }
}
