package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Pool;
import java.util.Arrays;
import java.util.function.IntPredicate;

/// The tokens whose target is not to be ignored, moved together so that the others cost nothing.
final class LiveTokens {
    private final int[] positions;
    private final int[] targets;
    private final int total;

    private LiveTokens(int[] positions, int[] targets, int total) {
        this.positions = positions;
        this.targets = targets;
        this.total = total;
    }

    /// Picks the tokens that count.
    ///
    /// @param wanted leaves out more tokens, by their position
    /// @throws PanagradException if a target is neither to be ignored nor in the vocabulary
    static LiveTokens of(
            String op,
            int[] targets,
            int offset,
            int n,
            int ignore,
            int vocabulary,
            IntPredicate wanted) {
        int[] positions = new int[n];
        int[] kept = new int[n];
        int count = 0;
        for (int i = 0; i < n; i++) {
            int target = targets[offset + i];
            if (target == ignore) {
                continue;
            }
            if (target < 0 || target >= vocabulary) {
                throw new PanagradException(
                        op,
                        "target of token " + i + " is not in the vocabulary",
                        "" + target,
                        "0 to " + (vocabulary - 1) + ", or " + ignore + " to ignore it",
                        "");
            }
            if (wanted.test(i)) {
                positions[count] = i;
                kept[count++] = target;
            }
        }
        return new LiveTokens(Arrays.copyOf(positions, count), Arrays.copyOf(kept, count), n);
    }

    /// Returns how many there are.
    int count() {
        return positions.length;
    }

    /// Tells whether no token is ignored, so that nothing has to be moved.
    boolean all() {
        return positions.length == total;
    }

    /// Tells whether live tokens follow each other without a gap, so that their rows can be read where
    /// they are.
    boolean isRun() {
        return count() == 0 || positions[count() - 1] - positions[0] + 1 == count();
    }

    /// Returns where the first live token stands among all; 0 if there is none.
    int first() {
        return count() == 0 ? 0 : positions[0];
    }

    /// Returns where the i-th live token stands among all.
    int position(int i) {
        return positions[i];
    }

    /// Returns the target of the i-th live token.
    int target(int i) {
        return targets[i];
    }

    /// Copies the live rows of a matrix with `dim` columns into an array from the pool.
    float[] gather(float[] rows, int offset, int dim) {
        float[] moved = Pool.floats().acquire(Math.max(1, count() * dim));
        for (int i = 0; i < count(); i++) {
            System.arraycopy(rows, offset + positions[i] * dim, moved, i * dim, dim);
        }
        return moved;
    }

    /// Moves the leading rows of a matrix to where the live tokens stand, and zeroes the others.
    void spread(float[] rows, int offset, int dim) {
        int end = total;
        for (int i = count() - 1; i >= 0; i--) {
            int to = positions[i];
            Arrays.fill(rows, offset + (to + 1) * dim, offset + end * dim, 0);
            System.arraycopy(rows, offset + i * dim, rows, offset + to * dim, dim);
            end = to;
        }
        Arrays.fill(rows, offset, offset + end * dim, 0);
    }
}
