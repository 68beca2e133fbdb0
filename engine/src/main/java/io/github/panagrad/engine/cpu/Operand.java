package io.github.panagrad.engine.cpu;

/// A matrix as the products see it: lanes by steps.
///
/// Lanes are the rows of op(A) or the columns of op(B), steps the inner dimension. One of the two is
/// contiguous.
sealed interface Operand permits Operand.Floats, StoredOperand {
    /// Packs `count` lanes from `lane` and `steps` steps from `step` into [Panels] of `width` lanes.
    void pack(int lane, int count, int step, int steps, float[] dst, int at, int width);

    /// Tells whether a lane's steps follow each other; else a step's lanes do.
    boolean stepsContiguous();

    /// Copies lanes 0 … lanes−1, with steps 0 … steps−1 of each following each other.
    void copyLanes(int lanes, int steps, float[] dst);

    /// Returns the matrix of the same layout `shift` elements on, the next one of a batch.
    Operand at(long shift);

    /// A matrix in an array.
    ///
    /// @param offset the first element
    /// @param ld the distance between lanes if steps are contiguous, else between steps
    record Floats(float[] data, int offset, int ld, boolean stepsContiguous) implements Operand {
        @Override
        public Floats at(long shift) {
            return new Floats(data, Math.toIntExact(offset + shift), ld, stepsContiguous);
        }

        @Override
        public void copyLanes(int lanes, int steps, float[] dst) {
            if (stepsContiguous) {
                for (int lane = 0; lane < lanes; lane++) {
                    System.arraycopy(data, offset + lane * ld, dst, lane * steps, steps);
                }
                return;
            }
            for (int p = 0, from = offset; p < steps; p++, from += ld) {
                for (int lane = 0; lane < lanes; lane++) {
                    dst[lane * steps + p] = data[from + lane];
                }
            }
        }

        @Override
        public void pack(int lane, int count, int step, int steps, float[] dst, int at, int width) {
            if (stepsContiguous) {
                int from = offset + lane * ld + step;
                Panels.fromRows(data, from, ld, count, steps, dst, at, width);
            } else {
                int from = offset + step * ld + lane;
                Panels.fromColumns(data, from, ld, count, steps, dst, at, width);
            }
        }
    }
}
