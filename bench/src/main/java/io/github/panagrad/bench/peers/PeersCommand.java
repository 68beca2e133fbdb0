package io.github.panagrad.bench.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Times this library beside others, row by row of the tables in docs/performance.md.
@Command(
        name = "peers",
        mixinStandardHelpOptions = true,
        description = "Times this library beside MKL, OpenBLAS and libtorch.")
public final class PeersCommand implements Callable<Integer> {
    @Option(
            names = "--case",
            description = "Only these rows: a name of --list, or its beginning (sgemm/NT).")
    List<String> names = new ArrayList<>();

    @Option(names = "--list", description = "Print the rows and run nothing.")
    boolean list;

    @Option(names = "--forks", description = "Processes a row; ${DEFAULT-VALUE} if not given.")
    int forks = 3;

    @Option(
            names = "--rounds",
            description = "Rounds a process at most; ${DEFAULT-VALUE} if not given.")
    int rounds = 15;

    @Option(
            names = "--millis",
            description = "How long a process times a row; ${DEFAULT-VALUE} if not given.")
    long millis = 500;

    @Option(
            names = "--warmup",
            description =
                    "Milliseconds that a row is warmed up at least; it goes on until it gets no"
                            + " faster. ${DEFAULT-VALUE} if not given.")
    long warmup = 300;

    @Option(
            names = "--threads",
            description = "Threads of the rows that use several; ${DEFAULT-VALUE} if not given.")
    int threads = 2;

    @Option(names = "--json", description = "Also write a line of JSON a row to this file.")
    Path json;

    @Override
    public Integer call() throws IOException {
        List<Case> cases =
                Cases.all(threads).stream()
                        .filter(c ->
                                names.isEmpty() || names.stream().anyMatch(c.name()::startsWith))
                        .toList();
        if (list) {
            cases.forEach(c ->
                    System.out.printf(
                            "%-32s %-9s floor %-5s aim %-5s %s%n",
                            c.name(),
                            c.peer(),
                            Table.bound(c.floor()),
                            Table.bound(c.aim()),
                            c.family()));
            return 0;
        }
        if (cases.isEmpty()) {
            System.err.println("no such row: " + names + "; --list prints them");
            return 2;
        }
        if (Worker.peers().isEmpty()) {
            System.err.println(
                    "this jar was built without peers; build it with:"
                            + " mvn -P peers -pl bench -am package -DskipTests");
            return 2;
        }
        var budget =
                List.of("--warmup", "" + warmup, "--millis", "" + millis, "--rounds", "" + rounds);
        List<Comparison> found =
                new PeerRun(forks, threads, budget, System.err::println).run(cases);
        Table.lines(found).forEach(System.out::println);
        if (json != null) {
            Files.write(json, found.stream().map(Comparison::toJson).toList());
        }
        return found.size() == cases.size() ? 0 : 1;
    }
}
