package io.github.panagrad.bench.peers;

import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;

/// Draws the figures.
final class Charts {
    private Charts() {}

    /// Draws the ratios of all time rows whose name begins with one of `kinds`, a colour a peer.
    static void ratios(List<JsonObject> rows, String title, Path file, String... kinds)
            throws IOException {
        Map<String, Map<String, Double>> byPeer = new LinkedHashMap<>();
        var names = new java.util.LinkedHashSet<String>();
        for (JsonObject row : rows) {
            boolean wanted =
                    row.string("unit").equals("ms")
                            && java.util.Arrays.stream(kinds)
                                    .anyMatch(row.string("case")::startsWith);
            if (wanted) {
                names.add(row.string("case"));
                byPeer.computeIfAbsent(row.string("peer_name"), p -> new LinkedHashMap<>())
                        .put(row.string("case"), row.number("ratio"));
            }
        }
        if (names.isEmpty()) {
            return;
        }
        CategoryChart chart =
                new CategoryChartBuilder()
                        .width(1400)
                        .height(600)
                        .title(title)
                        .yAxisTitle("peer's time / our time")
                        .build();
        chart.getStyler().setXAxisLabelRotation(60);
        List<String> labels = List.copyOf(names);
        byPeer.forEach((peer, ratios) ->
                chart.addSeries(
                        peer,
                        labels,
                        labels.stream().map(name -> ratios.getOrDefault(name, 0.0)).toList()));
        Files.write(file, ChartEncoder.getBytes(chart, "png"));
    }

    /// Draws a series of growth.
    static void growth(List<JsonObject> points, Growth series, Path file) throws IOException {
        var members =
                points.stream().filter(p -> p.string("series").equals(series.name())).toList();
        if (members.isEmpty()) {
            return;
        }
        XYChart chart =
                new XYChartBuilder()
                        .width(700)
                        .height(420)
                        .title(series.title())
                        .xAxisTitle(series.x())
                        .yAxisTitle(series.y())
                        .build();
        chart.getStyler().setLegendVisible(false);
        chart.getStyler().setYAxisMin(0.0);
        chart.addSeries(
                series.name(),
                members.stream().map(p -> p.number("x")).toList(),
                members.stream().map(p -> p.number("y")).toList());
        Files.write(file, ChartEncoder.getBytes(chart, "png"));
    }
}
