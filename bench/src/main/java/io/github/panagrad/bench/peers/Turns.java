package io.github.panagrad.bench.peers;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Times sides that take turns.
///
/// A turn is as many runs in a row as take about ten milliseconds; every second round goes backwards.
/// One side alone is timed in the same way. Timing begins when warming up no longer pays: no side
/// became faster of late, and the JIT compiler had nothing to do.
final class Turns {
    private static final long TURN_NANOS = 10_000_000;
    private static final int MIN_ROUNDS = 3;

    /// How long a side must not become faster.
    private static final long WINDOW_NANOS = 700_000_000;

    /// What counts as faster.
    private static final double FASTER = 0.97;

    /// Milliseconds of a window that the compiler may work.
    private static final long IDLE_MILLIS = 15;

    /// A side that never settles is timed as it is after so long.
    private static final long LONGEST_WARMUP_NANOS = 40_000_000_000L;

    private final long warmupNanos;
    private final long roundsNanos;
    private final int maxRounds;

    /// @param warmupMillis how long all sides run before at least, taking turns
    /// @param millis how long rounds go on, at least three
    /// @param maxRounds how many rounds there are at most
    Turns(long warmupMillis, long millis, int maxRounds) {
        this.warmupNanos = warmupMillis * 1_000_000;
        this.roundsNanos = millis * 1_000_000;
        this.maxRounds = maxRounds;
    }

    /// Returns nanoseconds a run: a row a side, a column a round.
    double[][] time(List<Side> sides) {
        int[] runs = warmUp(sides);
        var rounds = new ArrayList<double[]>();
        long start = System.nanoTime();
        while (rounds.size() < maxRounds
                && (rounds.size() < Math.min(MIN_ROUNDS, maxRounds)
                        || System.nanoTime() - start < roundsNanos)) {
            double[] round = new double[sides.size()];
            for (int i = 0; i < round.length; i++) {
                int at = rounds.size() % 2 == 0 ? i : round.length - 1 - i;
                round[at] = turn(sides.get(at), runs[at]);
            }
            rounds.add(round);
        }
        double[][] bySide = new double[sides.size()][rounds.size()];
        for (int r = 0; r < rounds.size(); r++) {
            for (int s = 0; s < bySide.length; s++) {
                bySide[s][r] = rounds.get(r)[s];
            }
        }
        return bySide;
    }

    /// Runs all sides until they have settled and returns how many runs make a turn of each.
    private int[] warmUp(List<Side> sides) {
        int[] runs = new int[sides.size()];
        Arrays.fill(runs, 1);
        double[] before = new double[runs.length];
        Arrays.fill(before, Double.POSITIVE_INFINITY);
        long start = System.nanoTime();
        boolean settled = false;
        while (!settled || System.nanoTime() - start < warmupNanos) {
            long compiled = compilerMillis();
            double[] best = window(sides, runs);
            settled = compilerMillis() - compiled <= IDLE_MILLIS;
            for (int i = 0; i < best.length; i++) {
                settled &= best[i] > FASTER * before[i];
                before[i] = Math.min(before[i], best[i]);
            }
            if (System.nanoTime() - start > LONGEST_WARMUP_NANOS) {
                break;
            }
        }
        return runs;
    }

    /// Lets all sides take turns for a while and returns the shortest time of a run of each.
    private static double[] window(List<Side> sides, int[] runs) {
        double[] best = new double[runs.length];
        Arrays.fill(best, Double.POSITIVE_INFINITY);
        long start = System.nanoTime();
        for (int pass = 0; pass < MIN_ROUNDS || System.nanoTime() - start < WINDOW_NANOS; pass++) {
            for (int i = 0; i < best.length; i++) {
                double time = turn(sides.get(i), runs[i]);
                best[i] = Math.min(best[i], time);
                runs[i] = Math.clamp((long) (TURN_NANOS / time), 1, 100_000);
            }
        }
        return best;
    }

    private static long compilerMillis() {
        return ManagementFactory.getCompilationMXBean().getTotalCompilationTime();
    }

    private static double turn(Side side, int runs) {
        long start = System.nanoTime();
        for (int i = 0; i < runs; i++) {
            side.run();
        }
        return (double) (System.nanoTime() - start) / runs;
    }
}
