package io.github.panagrad.engine.cpu;

import java.util.HashMap;
import org.jspecify.annotations.Nullable;

/// Which keys each query sees, as one range a query.
///
/// Causal masks, windows, left or right padding and packed sequences all are ranges, so a tile is
/// skipped, computed plainly or masked by comparing range ends. Only keys hidden in the middle of a
/// range, and segments that come back after another one, have to be looked at one by one; such a
/// sequence is not [#exact].
final class KeyRanges {
    private final AttentionProblem problem;
    private final int[] from;
    private final int[] to;
    private final boolean[] exact;
    private final int[] first;
    private final int[] end;

    KeyRanges(AttentionProblem problem) {
        this.problem = problem;
        from = new int[problem.batch() * problem.queries()];
        to = new int[from.length];
        exact = new boolean[problem.batch()];
        first = new int[problem.batch()];
        end = new int[problem.batch()];
        for (int b = 0; b < problem.batch(); b++) {
            exact[b] = narrow(b);
        }
    }

    /// First key that query t of sequence b sees.
    int from(int b, int t) {
        return from[b * problem.queries() + t];
    }

    /// End, exclusive, of the keys that query t of sequence b sees; the start if there are none.
    int to(int b, int t) {
        return to[b * problem.queries() + t];
    }

    /// First key that any query of sequence b sees, rounded down to whole groups of keys.
    int first(int b) {
        return first[b];
    }

    /// End, exclusive, of the keys that the queries of sequence b see.
    int end(int b) {
        return end[b];
    }

    /// Tells whether a query of this sequence sees every key of its range.
    boolean exact(int b) {
        return exact[b];
    }

    /// Tells whether the key mask hides a key.
    boolean hidden(int b, int key) {
        byte[] mask = problem.keyMask();
        return mask != null && mask[problem.keyMaskOffset() + b * problem.keys() + key] == 0;
    }

    /// Returns the segment of a position; 0 if nothing is packed.
    int segment(int b, int position) {
        int[] ids = problem.segments();
        return ids == null ? 0 : ids[problem.segmentsOffset() + b * problem.keys() + position];
    }

    private boolean narrow(int b) {
        int keys = problem.keys();
        int low = 0;
        int high = keys;
        int open = keys;
        if (problem.keyMask() != null) {
            while (low < keys && hidden(b, low)) {
                low++;
            }
            while (high > low && hidden(b, high - 1)) {
                high--;
            }
            open = 0;
            for (int j = low; j < high; j++) {
                open += hidden(b, j) ? 0 : 1;
            }
        }
        @Nullable Segments segments = problem.segments() == null ? null : new Segments(b);
        int ahead = keys - problem.queries();
        int least = keys;
        int most = 0;
        for (int t = 0; t < problem.queries(); t++) {
            int position = t + ahead;
            int start = low;
            int stop = high;
            if (problem.causal()) {
                stop = Math.min(stop, position + 1);
            }
            if (problem.window() > 0) {
                start = Math.max(start, position - problem.window() + 1);
            }
            if (segments != null) {
                start = Math.max(start, segments.start[position]);
                stop = Math.min(stop, segments.end[position]);
            }
            int at = b * problem.queries() + t;
            from[at] = Math.min(start, keys);
            to[at] = Math.max(from[at], stop);
            if (from[at] < to[at]) {
                least = Math.min(least, from[at]);
                most = Math.max(most, to[at]);
            }
        }
        first[b] = least & -TileProduct.ROWS;
        end[b] = most;
        return open == Math.max(0, high - low) && (segments == null || !segments.scattered);
    }

    /// For each position, the first and the last one of its segment.
    private final class Segments {
        final int[] start;
        final int[] end;
        boolean scattered;

        Segments(int b) {
            int keys = problem.keys();
            start = new int[keys];
            end = new int[keys];
            var starts = new HashMap<Integer, Integer>();
            for (int j = 0; j < keys; j++) {
                int id = segment(b, j);
                if (j > 0 && segment(b, j - 1) == id) {
                    start[j] = start[j - 1];
                    continue;
                }
                Integer earlier = starts.putIfAbsent(id, j);
                start[j] = earlier == null ? j : earlier;
                scattered |= earlier != null;
            }
            var ends = new HashMap<Integer, Integer>();
            for (int j = keys - 1; j >= 0; j--) {
                int id = segment(b, j);
                if (j + 1 < keys && segment(b, j + 1) == id) {
                    end[j] = end[j + 1];
                    continue;
                }
                Integer later = ends.putIfAbsent(id, j + 1);
                end[j] = later == null ? j + 1 : later;
            }
        }
    }
}
