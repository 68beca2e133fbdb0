package io.github.panagrad.engine.ground;

/// A counter-based random generator: element i of a draw depends on nothing but the seed, the
/// draw's position and i.
///
/// Hence the same numbers for any number of threads, on any device, and again when a checkpoint
/// recomputes. Philox 4x32 with ten rounds (Salmon, Moraes, Dror, Shaw, "Parallel random numbers:
/// as easy as 1, 2, 3", SC 2011).
public final class Rng {
    private final long seed;
    private long position;

    private Rng(long seed, long position) {
        this.seed = seed;
        this.position = position;
    }

    /// Creates a generator at the start of the stream of a seed.
    public static Rng of(long seed) {
        return new Rng(seed, 0);
    }

    /// Returns the next draw, an endless sequence of its own, and moves on by one.
    public synchronized Draw draw() {
        return new Draw(seed, position++);
    }

    /// Returns the seed.
    public long seed() {
        return seed;
    }

    /// Returns how many draws were taken: what a checkpoint has to save.
    public synchronized long position() {
        return position;
    }

    /// Goes back, or ahead, to a position that [#position] returned.
    public synchronized void seek(long position) {
        this.position = position;
    }

    /// One endless sequence of random numbers, addressed by index.
    ///
    /// @param seed the generator's seed
    /// @param position which draw of that seed
    public record Draw(long seed, long position) {
        private static final int M0 = 0xD2511F53;
        private static final int M1 = 0xCD9E8D57;
        private static final int W0 = 0x9E3779B9;
        private static final int W1 = 0xBB67AE85;

        /// Returns 32 random bits.
        public int bits(long index) {
            long block = index >> 2;
            int c0 = (int) block;
            int c1 = (int) (block >>> 32);
            int c2 = (int) position;
            int c3 = (int) (position >>> 32);
            int k0 = (int) seed;
            int k1 = (int) (seed >>> 32);
            for (int round = 0; round < 10; round++) {
                long p0 = (M0 & 0xFFFFFFFFL) * (c0 & 0xFFFFFFFFL);
                long p1 = (M1 & 0xFFFFFFFFL) * (c2 & 0xFFFFFFFFL);
                int n0 = (int) (p1 >>> 32) ^ c1 ^ k0;
                int n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
                c1 = (int) p1;
                c3 = (int) p0;
                c0 = n0;
                c2 = n2;
                k0 += W0;
                k1 += W1;
            }
            return switch ((int) (index & 3)) {
                case 0 -> c0;
                case 1 -> c1;
                case 2 -> c2;
                default -> c3;
            };
        }

        /// Returns a number from [0, 1) with 24 random bits, exact in F32.
        public float uniform(long index) {
            return (bits(index) >>> 8) * 0x1p-24f;
        }

        /// Returns a standard normal number (Box and Muller, 1958).
        public double normal(long index) {
            double u = ((bits(2 * index) >>> 8) + 0.5) * 0x1p-24;
            double v = (bits(2 * index + 1) >>> 8) * 0x1p-24;
            return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
        }

        /// Returns the numbers from 0 to below n in random order (Fisher and Yates, 1938).
        public int[] permutation(int n) {
            int[] order = new int[n];
            for (int i = 0; i < n; i++) {
                order[i] = i;
            }
            for (int i = n - 1; i > 0; i--) {
                int j = (int) ((Integer.toUnsignedLong(bits(i)) * (i + 1)) >>> 32);
                int swap = order[i];
                order[i] = order[j];
                order[j] = swap;
            }
            return order;
        }
    }
}
