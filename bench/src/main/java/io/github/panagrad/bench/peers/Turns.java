package io.github.panagrad.bench.peers;

import java.util.ArrayList;
import java.util.List;

/// Times sides that take turns.
///
/// A turn is as many runs in a row as take about ten milliseconds; every second round goes backwards.
/// One side alone is timed in the same way.
final class Turns {
    private static final long TURN_NANOS = 10_000_000;
    private static final int MIN_ROUNDS = 3;

    private final long warmupNanos;
    private final long roundsNanos;
    private final int maxRounds;

    /// @param warmupMillis how long all sides run before, taking turns
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

    /// Runs all sides and returns how many runs make a turn of each.
    private int[] warmUp(List<Side> sides) {
        double[] last = new double[sides.size()];
        int[] runs = new int[sides.size()];
        java.util.Arrays.fill(runs, 1);
        long start = System.nanoTime();
        for (int pass = 0; pass < MIN_ROUNDS || System.nanoTime() - start < warmupNanos; pass++) {
            for (int i = 0; i < last.length; i++) {
                last[i] = turn(sides.get(i), runs[i]);
                runs[i] = Math.clamp((long) (TURN_NANOS / last[i]), 1, 100_000);
            }
        }
        return runs;
    }

    private static double turn(Side side, int runs) {
        long start = System.nanoTime();
        for (int i = 0; i < runs; i++) {
            side.run();
        }
        return (double) (System.nanoTime() - start) / runs;
    }
}
