package io.github.panagrad.adapters.sparse;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// The parts of blocks that train or not as a whole, a weight with its bias, and the draws among
/// them.
final class HalfUnits {
    /// How often a draw is repeated to come nearer to the wanted number of elements.
    private static final int ATTEMPTS = 16;

    private final double fraction;
    private final Rng rng;
    private final Map<Integer, List<Unit>> blocks = new TreeMap<>();

    /// What of a block is drawn by itself.
    private enum Kind {
        ATTENTION,
        FEED_FORWARD,
        NORM,
        OTHER;

        static Kind of(ParamCategory category) {
            return switch (category) {
                case ATTN_Q, ATTN_K, ATTN_V, ATTN_O -> ATTENTION;
                case MLP_UP, MLP_GATE, MLP_DOWN -> FEED_FORWARD;
                case NORM -> NORM;
                case EMBED, HEAD, BIAS, OTHER -> OTHER;
            };
        }
    }

    /// The parameters of one module.
    private static final class Unit {
        private final List<Parameter> parameters = new ArrayList<>();
        private Kind kind = Kind.OTHER;
        private long count;

        void add(ParamSelection.Entry entry) {
            parameters.add(entry.parameter());
            count += entry.parameter().size();
            if (entry.category() != ParamCategory.BIAS) {
                kind = Kind.of(entry.category());
            }
        }
    }

    HalfUnits(ParamSelection all, double fraction, Rng rng) {
        this.fraction = fraction;
        this.rng = rng;
        var modules = new LinkedHashMap<String, Unit>();
        for (ParamSelection.Entry entry : all.blocks(b -> true)) {
            String path = entry.path();
            String module = path.substring(0, Math.max(0, path.lastIndexOf('.')));
            Unit unit = modules.get(module);
            if (unit == null) {
                unit = new Unit();
                modules.put(module, unit);
                blocks.computeIfAbsent(entry.block(), b -> new ArrayList<>()).add(unit);
            }
            unit.add(entry);
        }
    }

    /// Draws a share of each kind in every block.
    Set<Parameter> byCategory() {
        var drawn = new ArrayList<Unit>();
        for (Kind kind : Kind.values()) {
            List<List<Unit>> ofKind =
                    blocks.values().stream()
                            .map(units -> units.stream().filter(u -> u.kind == kind).toList())
                            .toList();
            int[] wanted = wanted(ofKind);
            long largest =
                    ofKind.stream().flatMap(List::stream).mapToLong(u -> u.count).max().orElse(0);
            double excess = 0;
            for (int b = 0; b < wanted.length; b++) {
                List<Unit> best = balanced(ofKind.get(b), wanted[b], excess, largest);
                excess += excess(best, ofKind.get(b));
                drawn.addAll(best);
            }
        }
        return parameters(drawn);
    }

    /// Returns how many units to draw in each block: the share of them, and where that is no whole
    /// number, one more in so many random blocks that the total is as near as can be.
    private int[] wanted(List<List<Unit>> ofKind) {
        int[] wanted = new int[ofKind.size()];
        int all = 0;
        for (int b = 0; b < wanted.length; b++) {
            wanted[b] = (int) Math.floor(fraction * ofKind.get(b).size());
            all += ofKind.get(b).size();
        }
        long missing = Math.round(fraction * all) - Arrays.stream(wanted).sum();
        for (int b : rng.draw().permutation(wanted.length)) {
            if (missing > 0 && wanted[b] < fraction * ofKind.get(b).size()) {
                wanted[b]++;
                missing--;
            }
        }
        return wanted;
    }

    /// Draws units of a block so that all drawn so far are within one unit of the share of their
    /// elements, as near as a few attempts come: with grouped queries, keys and values are smaller.
    private List<Unit> balanced(List<Unit> units, int wanted, double excess, long largest) {
        List<Unit> best = List.of();
        double least = Double.POSITIVE_INFINITY;
        for (int attempt = 0; attempt < ATTEMPTS && least > largest; attempt++) {
            List<Unit> some = some(units, wanted);
            double off = Math.abs(excess + excess(some, units));
            if (off < least) {
                least = off;
                best = some;
            }
        }
        return best;
    }

    private double excess(List<Unit> drawn, List<Unit> of) {
        return count(drawn) - fraction * count(of);
    }

    private static long count(List<Unit> units) {
        return units.stream().mapToLong(u -> u.count).sum();
    }

    private List<Unit> some(List<Unit> units, int wanted) {
        int[] order = rng.draw().permutation(units.size());
        return Arrays.stream(order).limit(wanted).mapToObj(units::get).toList();
    }

    /// Draws a share of the blocks, at least one.
    Set<Parameter> byBlock() {
        List<List<Unit>> all = List.copyOf(blocks.values());
        int wanted = (int) Math.max(1, Math.round(fraction * all.size()));
        int[] order = rng.draw().permutation(all.size());
        return parameters(
                Arrays.stream(order)
                        .limit(wanted)
                        .boxed()
                        .flatMap(b -> all.get(b).stream())
                        .toList());
    }

    /// Draws units one by one, passing over those that would be too many elements.
    Set<Parameter> anywhere() {
        List<Unit> all = blocks.values().stream().flatMap(List::stream).toList();
        long left = Math.round(fraction * count(all));
        var drawn = new ArrayList<Unit>();
        for (int i : rng.draw().permutation(all.size())) {
            if (all.get(i).count <= left) {
                left -= all.get(i).count;
                drawn.add(all.get(i));
            }
        }
        return parameters(drawn);
    }

    private static Set<Parameter> parameters(Collection<Unit> units) {
        var all = new HashSet<Parameter>();
        units.forEach(u -> all.addAll(u.parameters));
        return all;
    }
}
