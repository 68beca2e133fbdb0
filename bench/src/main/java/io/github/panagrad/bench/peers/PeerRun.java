package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Runs cases in child processes and pairs what they measured.
///
/// Where both sides may take turns in one process, every round is a pair; else the sides' processes
/// run back to back, and each two of them are a pair. All cases of one kind share the processes of a
/// fork, so that a process starts warm into all but its first case.
final class PeerRun {
    /// Touched beforehand: pages that appear while a side is timed cost it as much as its work.
    private static final List<String> HEAP = List.of("-Xms4g", "-Xmx4g", "-XX:+AlwaysPreTouch");

    private final int forks;
    private final int threads;
    private final List<String> budget;
    private final Consumer<String> progress;
    private final String machine = Machine.describe();
    private final List<Samples> samples = new ArrayList<>();
    private final Map<String, String> builds = new LinkedHashMap<>();

    /// What was measured of a case so far.
    private static final class Samples {
        final Case row;
        final List<Double> ours = new ArrayList<>();
        final List<Double> peer = new ArrayList<>();
        final List<Double> ratios = new ArrayList<>();
        double difference;

        Samples(Case row) {
            this.row = row;
        }
    }

    /// Figures of a process by case and side.
    private record Figures(Map<String, double[]> byKey) {
        boolean has(Case row, String side) {
            return byKey.containsKey(key(row.name(), side));
        }

        double[] get(Case row, String side) {
            double[] found = byKey.get(key(row.name(), side));
            if (found == null) {
                throw new PanagradException(
                        "peers", "a child process left out", row.name() + " by " + side, "", "");
            }
            return found;
        }

        static String key(String name, String side) {
            return name + "\t" + side;
        }
    }

    /// @param budget options of a [Worker] that say how long it measures
    /// @param progress told what is going on, a line at a time
    PeerRun(int forks, int threads, List<String> budget, Consumer<String> progress) {
        this.forks = forks;
        this.threads = threads;
        this.budget = budget;
        this.progress = progress;
    }

    /// Runs cases and returns what they came to, in their order.
    List<Comparison> run(List<Case> cases) {
        cases.forEach(c -> samples.add(new Samples(c)));
        for (int fork = 1; fork <= forks; fork++) {
            int number = fork;
            inTurns(cases)
                    .forEach((sides, rows) -> {
                        progress.accept(
                                "fork %d of %d: %d cases, %s"
                                        .formatted(number, forks, count(rows), sides));
                        alternate(sides, rows);
                    });
            backToBack(cases)
                    .forEach((peer, rows) -> {
                        progress.accept(
                                "fork %d of %d: %d cases, ours and %s in processes of their own"
                                        .formatted(number, forks, count(rows), peer));
                        pair(peer, rows);
                    });
        }
        for (Case row : cases) {
            if (row.measure() == Case.Measure.MEMORY) {
                progress.accept("memory: " + row.name());
                long ours = MemoryRun.ours(row);
                long peer = MemoryRun.theirs(row);
                add(row, ours, peer, (double) ours / peer);
            }
        }
        return samples.stream().filter(s -> !s.ratios.isEmpty()).map(this::comparison).toList();
    }

    private static long count(List<Case> rows) {
        return rows.stream().map(Case::name).distinct().count();
    }

    /// Returns the cases of each set of sides that share a process.
    private static Map<String, List<Case>> inTurns(List<Case> cases) {
        Map<String, List<Case>> groups = new LinkedHashMap<>();
        for (Case c : cases) {
            if (c.canAlternate()) {
                var peers = new TreeSet<String>();
                cases.stream()
                        .filter(other -> other.name().equals(c.name()))
                        .filter(other -> other.equals(c) || !Cases.isLibtorch(other.peer()))
                        .forEach(other -> peers.add(other.peer()));
                String sides = OwnSides.NAME + "," + String.join(",", peers);
                groups.computeIfAbsent(sides, s -> new ArrayList<>()).add(c);
            }
        }
        return groups;
    }

    private static Map<String, List<Case>> backToBack(List<Case> cases) {
        Map<String, List<Case>> groups = new LinkedHashMap<>();
        for (Case c : cases) {
            if (!c.canAlternate() && c.measure() == Case.Measure.TIME) {
                groups.computeIfAbsent(c.peer(), s -> new ArrayList<>()).add(c);
            }
        }
        return groups;
    }

    private void alternate(String sides, List<Case> rows) {
        Figures times = figures(rows, sides, List.of());
        for (Case row : rows) {
            if (!times.has(row, OwnSides.NAME)) {
                continue;
            }
            double[] ours = times.get(row, OwnSides.NAME);
            double[] peer = times.get(row, row.peer());
            double[] ratios = new double[ours.length];
            for (int i = 0; i < ratios.length; i++) {
                ratios[i] = peer[i] / ours[i];
            }
            add(row, Statistics.median(ours), Statistics.median(peer), Statistics.median(ratios));
        }
    }

    private void pair(String peer, List<Case> rows) {
        Path results = temporary();
        try {
            Figures theirs = figures(rows, peer, List.of("--save", "" + results));
            Figures ours = figures(rows, OwnSides.NAME, List.of("--against", "" + results));
            for (Case row : rows) {
                if (!ours.has(row, OwnSides.NAME)) {
                    continue;
                }
                double a = Statistics.median(ours.get(row, OwnSides.NAME));
                double b = Statistics.median(theirs.get(row, peer));
                add(row, a, b, b / a);
            }
        } finally {
            delete(results);
        }
    }

    private void add(Case row, double ours, double peer, double ratio) {
        for (Samples s : samples) {
            if (s.row.equals(row)) {
                s.ours.add(ours);
                s.peer.add(peer);
                s.ratios.add(ratio);
            }
        }
    }

    /// Runs a process and returns its figures.
    private Figures figures(List<Case> rows, String sides, List<String> more) {
        var arguments = new ArrayList<String>();
        arguments.add("--cases");
        arguments.add(String.join(",", rows.stream().map(Case::name).distinct().toList()));
        arguments.add("--sides");
        arguments.add(sides);
        arguments.add("--threads");
        arguments.add("" + threads);
        arguments.addAll(budget);
        arguments.addAll(more);
        int most = rows.stream().mapToInt(Case::threads).max().orElse(1);
        Map<String, double[]> found = new LinkedHashMap<>();
        Child.run(Worker.class, HEAP, most, true, arguments, line -> keep(line, found));
        return new Figures(found);
    }

    /// Takes in a line of a worker.
    private void keep(String line, Map<String, double[]> times) {
        String[] fields = line.split("\t");
        switch (fields[0]) {
            case "TIMES" ->
                    times.put(
                            Figures.key(fields[1], fields[2]),
                            Stream.of(fields[3].split(","))
                                    .mapToDouble(ns -> Double.parseDouble(ns) * 1e-6)
                                    .toArray());
            case "CHECK" -> {
                for (Samples s : samples) {
                    if (s.row.name().equals(fields[1]) && s.row.peer().equals(fields[2])) {
                        s.difference = Math.max(s.difference, Double.parseDouble(fields[3]));
                    }
                }
            }
            case "BUILD" -> builds.put(fields[1], fields[2]);
            default -> progress.accept(line);
        }
    }

    private Comparison comparison(Samples s) {
        Case row = s.row;
        double[] ratios = array(s.ratios);
        return new Comparison(
                row,
                Statistics.median(array(s.ours)),
                Statistics.median(array(s.peer)),
                Statistics.median(ratios),
                s.ratios.stream().min(Comparator.naturalOrder()).orElse(Double.NaN),
                s.ratios.stream().max(Comparator.naturalOrder()).orElse(Double.NaN),
                forks,
                s.difference,
                builds.getOrDefault(row.peer(), ""),
                machine);
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("panagrad-peers");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            throw new PanagradException("peers", "cannot clean up", "" + e, "", "");
        }
    }
}
