package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.ArrayList;
import java.util.List;

/// Measures the memory rows, a process a figure.
///
/// A peer: growth of the resident memory at its peak, of a JVM whose heap was resident before, so that
/// nothing of Java counts. Our step: the same growth, heap and all that the compiler and the collector
/// take included, of a JVM with the smallest heap that the step runs in. Our functions: what the pool
/// takes, and what is allocated beside it.
final class MemoryRun {
    private static final int STEP_MEGABYTES = 32;
    private static final int TOO_SMALL = 256;
    private static final int LARGE_ENOUGH = 768;

    private MemoryRun() {}

    static long theirs(Case row) {
        var flags = List.of("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch");
        return bytes(row, row.peer(), flags);
    }

    static long ours(Case row) {
        if (!(row.problem() instanceof Problem.Step)) {
            return bytes(row, OwnSides.NAME, List.of("-Xms4g", "-Xmx4g"));
        }
        int fails = TOO_SMALL;
        int runs = LARGE_ENOUGH;
        long found = bytes(row, OwnSides.NAME, heap(runs));
        while (runs - fails > STEP_MEGABYTES) {
            int middle = (runs + fails) / 2;
            try {
                found = bytes(row, OwnSides.NAME, heap(middle));
                runs = middle;
            } catch (PanagradException e) {
                fails = middle;
            }
        }
        return found;
    }

    private static List<String> heap(int megabytes) {
        // The serial collector: regions of another would be lost on arrays that do not fill them.
        return List.of("-XX:+UseSerialGC", "-Xms64m", "-Xmx" + megabytes + "m");
    }

    private static long bytes(Case row, String side, List<String> flags) {
        var arguments = List.of("--memory", "--cases", row.name(), "--sides", side);
        var found = new ArrayList<Long>();
        Child.run(
                Worker.class,
                flags,
                row.threads(),
                false,
                arguments,
                line -> {
                    String[] fields = line.split("\t");
                    if (fields[0].equals("BYTES")) {
                        found.add(Long.parseLong(fields[3]));
                    }
                });
        if (!found.isEmpty()) {
            return found.getLast();
        }
        throw new PanagradException("peers", "no figure", row.name() + " of " + side, "", "");
    }
}
