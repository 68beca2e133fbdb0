package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Turns lines of JSON into the tables of docs/performance.md.
final class Report {
    static final String BEGIN = "<!-- figures: written by `panagrad-bench.jar report` -->";
    static final String END = "<!-- end of figures -->";

    private Report() {}

    /// Returns the page with what stands between the marks replaced.
    static String replace(String page, String figures) {
        int begin = page.indexOf(BEGIN);
        int end = page.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new PanagradException(
                    "report", "the page has no marks", "", BEGIN + " … " + END, "");
        }
        return page.substring(0, begin + BEGIN.length())
                + "\n\n"
                + figures
                + "\n"
                + page.substring(end);
    }

    /// Returns the rows in tables, one a family, and a line on machine and builds before them.
    static String markdown(List<JsonObject> rows) {
        var text = new StringBuilder();
        var builds = new ArrayList<String>();
        rows.forEach(row -> {
            if (!builds.contains(row.string("peer_build"))) {
                builds.add(row.string("peer_build"));
            }
        });
        if (!rows.isEmpty()) {
            text.append("Machine: ").append(rows.getFirst().string("machine")).append(".\n");
            text.append("Peers: ").append(String.join("; ", builds)).append(".\n");
        }
        families(rows)
                .forEach((family, members) -> {
                    text.append("\n### ").append(capital(family)).append("\n\n");
                    text.append(
                            "| case | peer | ours | peer's | ratio | spread | floor | aim | met |\n");
                    text.append("|---|---|---|---|---|---|---|---|---|\n");
                    members.forEach(row -> text.append(line(row)));
                });
        return text.toString();
    }

    private static Map<String, List<JsonObject>> families(List<JsonObject> rows) {
        Map<String, List<JsonObject>> families = new LinkedHashMap<>();
        for (JsonObject row : rows) {
            families.computeIfAbsent(row.string("family"), f -> new ArrayList<>()).add(row);
        }
        return families;
    }

    private static String line(JsonObject row) {
        return "| %s | %s | %s | %s | %.2f | %.2f–%.2f | %s | %s | %s |%n"
                .formatted(
                        row.string("case"),
                        row.string("peer_name"),
                        amount(row, "ours"),
                        amount(row, "peer"),
                        row.number("ratio"),
                        row.number("low"),
                        row.number("high"),
                        Table.bound(row.number("floor")),
                        Table.bound(row.number("aim")),
                        row.string("met"));
    }

    private static String amount(JsonObject row, String name) {
        double value = row.number(name);
        return row.string("unit").equals("ms")
                ? String.format(Locale.ROOT, value < 10 ? "%.3f ms" : "%.1f ms", value)
                : String.format(Locale.ROOT, "%.0f MB", value * 1e-6);
    }

    private static String capital(String text) {
        return Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }

    /// Returns the points of growth in tables, one a series.
    static String growth(List<JsonObject> points) {
        var text = new StringBuilder();
        for (Growth series : Growth.values()) {
            var members =
                    points.stream().filter(p -> p.string("series").equals(series.name())).toList();
            if (members.isEmpty()) {
                continue;
            }
            text.append("\n### ").append(capital(series.title())).append("\n\n");
            text.append("| ")
                    .append(series.x())
                    .append(" | ")
                    .append(series.y())
                    .append(" |\n|---|---|\n");
            members.forEach(p ->
                    text.append("| %d | %.1f |%n".formatted(p.longInteger("x"), p.number("y"))));
            text.append("\n![%s](performance/%s.png)%n".formatted(series.title(), series.file()));
        }
        return text.toString();
    }
}
