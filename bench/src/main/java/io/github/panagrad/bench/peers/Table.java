package io.github.panagrad.bench.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Prints comparisons, a table a family.
final class Table {
    static final String HEADER =
            "ratio = peer's time / our time, above 1 we are faster; in memory rows our bytes / the"
                    + " peer's, below 1 we need less. Medians of paired runs; spread = lowest and"
                    + " highest fork.";

    private Table() {}

    /// Returns the tables as lines of text.
    static List<String> lines(List<Comparison> comparisons) {
        var lines = new ArrayList<String>();
        lines.add(HEADER);
        String family = "";
        for (Comparison c : comparisons) {
            Case row = c.row();
            if (!family.equals(row.family())) {
                family = row.family();
                lines.add("");
                lines.add(family);
                lines.add(
                        line(
                                "case", "peer", "ours", "peer's", "ratio", "spread", "floor", "aim",
                                "met"));
            }
            lines.add(
                    line(
                            row.name(),
                            row.peer(),
                            amount(row, c.ours()),
                            amount(row, c.peer()),
                            "%.2f".formatted(c.ratio()),
                            "%.2f–%.2f".formatted(c.low(), c.high()),
                            bound(row.floor()),
                            bound(row.aim()),
                            row.met(c.ratio())));
        }
        return lines;
    }

    private static String line(Object... cells) {
        return "%-32s %-9s %12s %12s %6s %11s %6s %6s %s".formatted(cells);
    }

    private static String amount(Case row, double value) {
        return row.measure() == Case.Measure.TIME
                ? String.format(Locale.ROOT, "%.3f ms", value)
                : String.format(Locale.ROOT, "%.1f MB", value * 1e-6);
    }

    static String bound(double value) {
        return value == Math.rint(value * 10) / 10
                ? "%.1f".formatted(value)
                : "%.2f".formatted(value);
    }
}
