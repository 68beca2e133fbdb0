package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Preference;
import io.github.panagrad.nn.train.LossTerm;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// Which sequences of a batch are the chosen and the rejected answers of its pairs.
final class Pairs {
    private final Batch batch;
    private final int[] chosen;
    private final int[] rejected;

    private Pairs(Batch batch, int[] chosen, int[] rejected) {
        this.batch = batch;
        this.chosen = chosen;
        this.rejected = rejected;
    }

    /// Finds the pairs by the tags of the sequences.
    ///
    /// @throws PanagradException if an answer is there twice, or without the other
    static Pairs of(Batch batch) {
        var places = new TreeMap<Integer, int[]>();
        for (int i = 0; i < batch.sequences().size(); i++) {
            int tag = batch.sequences().get(i).tag();
            int pair = Preference.pair(tag);
            int[] place = places.computeIfAbsent(pair, p -> new int[] {-1, -1});
            int side = Preference.isChosen(tag) ? 0 : 1;
            if (place[side] >= 0) {
                throw unpaired(pair, side == 0 ? "two chosen answers" : "two rejected answers");
            }
            place[side] = i;
        }
        places.forEach((pair, place) -> {
            if (place[0] < 0 || place[1] < 0) {
                throw unpaired(pair, place[0] < 0 ? "no chosen answer" : "no rejected answer");
            }
        });
        return new Pairs(
                batch,
                places.values().stream().mapToInt(p -> p[0]).toArray(),
                places.values().stream().mapToInt(p -> p[1]).toArray());
    }

    private static PanagradException unpaired(int pair, String got) {
        return new PanagradException(
                "preferences",
                "pair " + pair + " is not whole in its batch",
                got,
                "one chosen and one rejected answer",
                "read with PreferenceReader.pairs and batch with grouped(2)");
    }

    /// Picks the entries of the chosen answers. Shapes: (sequences) → (pairs).
    Tensor chosen(Tensor values) {
        return pick(values, chosen);
    }

    /// Picks the entries of the rejected answers. Shapes: (sequences) → (pairs).
    Tensor rejected(Tensor values) {
        return pick(values, rejected);
    }

    private static Tensor pick(Tensor values, int[] places) {
        return values.indexSelect(0, Ops.indices(places, places.length).to(values.device()));
    }

    /// Sums the losses of the pairs and reports how the answers are told apart.
    ///
    /// @param rewards the implicit reward of each sequence
    LossTerm term(Tensor losses, double[] rewards) {
        double good = 0;
        double bad = 0;
        int right = 0;
        int n = chosen.length;
        for (int i = 0; i < n; i++) {
            good += rewards[chosen[i]] / n;
            bad += rewards[rejected[i]] / n;
            right += rewards[chosen[i]] > rewards[rejected[i]] ? 1 : 0;
        }
        Map<String, Double> report = new HashMap<>();
        report.put("margin", good - bad);
        report.put("accuracy", (double) right / n);
        report.put("chosen_reward", good);
        report.put("rejected_reward", bad);
        return new LossTerm(losses.sum(), n, batch.predicted(), report);
    }
}
