package io.github.panagrad.bench.peers;

import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Measures how the memory and the time of a step grow.
@Command(
        name = "growth",
        mixinStandardHelpOptions = true,
        description = "Measures how memory and time grow with tokens and vocabulary.")
public final class GrowthCommand implements Callable<Integer> {
    @Option(
            names = "--json",
            description = "Where a line of JSON a point goes; ${DEFAULT-VALUE} if not given.")
    Path json = Path.of("docs/performance/growth.jsonl");

    @Override
    public Integer call() throws IOException {
        var lines = new ArrayList<String>();
        List<String> flags = List.of("-Xms6g", "-Xmx6g", "-XX:+AlwaysPreTouch");
        Child.run(
                GrowthWorker.class,
                flags,
                1,
                true,
                List.of(),
                line -> {
                    String[] fields = line.split("\t");
                    // Warnings of the JVM come this way too.
                    if (fields[0].equals("POINT")) {
                        String point = point(fields);
                        System.out.println(point);
                        lines.add(point);
                    }
                });
        if (json.getParent() != null) {
            Files.createDirectories(json.getParent());
        }
        Files.write(json, lines);
        return 0;
    }

    /// Turns a worker's `POINT series x y` into a line of JSON.
    private static String point(String[] fields) {
        Growth series = Growth.valueOf(fields[1]);
        double y = Double.parseDouble("%.4g".formatted(Double.parseDouble(fields[3])));
        return JsonObject.of(
                        "series", series.name(),
                        "x", Long.parseLong(fields[2]),
                        "y", y,
                        "x_unit", series.x(),
                        "y_unit", series.y(),
                        "machine", Machine.describe())
                .toString();
    }
}
