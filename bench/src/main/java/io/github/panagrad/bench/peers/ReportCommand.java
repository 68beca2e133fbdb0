package io.github.panagrad.bench.peers;

import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Writes the tables and charts of docs/performance.md from the figures kept beside it.
@Command(
        name = "report",
        mixinStandardHelpOptions = true,
        description = "Writes tables and charts from peers.jsonl and growth.jsonl.")
public final class ReportCommand implements Callable<Integer> {
    @Option(
            names = "--docs",
            description = "The folder of performance.md; ${DEFAULT-VALUE} if not given.")
    Path docs = Path.of("docs");

    @Override
    public Integer call() throws IOException {
        System.setProperty("java.awt.headless", "true");
        Path figures = docs.resolve("performance");
        List<JsonObject> rows = read(figures.resolve("peers.jsonl"));
        List<JsonObject> points = read(figures.resolve("growth.jsonl"));
        Path page = docs.resolve("performance.md");
        String text = Report.markdown(rows) + Report.growth(points);
        Files.writeString(page, Report.replace(Files.readString(page), text));
        Charts.ratios(rows, "Matrix products, 1 thread", figures.resolve("products.png"), "sgemm/");
        Charts.ratios(
                rows,
                "Rows and elements, forward + backward",
                figures.resolve("functions.png"),
                java.util.Arrays.stream(Problem.Function.values())
                        .map(Problem.Function::label)
                        .toArray(String[]::new));
        Charts.ratios(
                rows,
                "Attention, loss, optimizer, steps and decoding",
                figures.resolve("steps.png"),
                "attention",
                "linear-cross-entropy",
                "adamw",
                "step",
                "decode");
        for (Growth series : Growth.values()) {
            Charts.growth(points, series, figures.resolve(series.file() + ".png"));
        }
        return 0;
    }

    private static List<JsonObject> read(Path file) throws IOException {
        return Files.exists(file)
                ? Files.readAllLines(file).stream()
                        .map(line -> JsonObject.parse(file.toString(), line))
                        .toList()
                : List.of();
    }
}
