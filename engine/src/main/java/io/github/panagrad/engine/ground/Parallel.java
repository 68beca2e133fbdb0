package io.github.panagrad.engine.ground;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The library's one thread pool: loops cut into chunks that threads pick up.
///
/// Chunks depend on the length and the grain only, never on the number of threads, so a body that
/// computes each chunk by itself gives the same bits for any number of threads.
///
/// Hand-off has to cost about a microsecond, or products of a few hundred rows do not scale: idle
/// workers watch for work for [#SPIN_NANOS] before they park, and the caller takes part.
public final class Parallel {
    /// How long an idle thread watches before it parks: longer than the gaps between the ops of a
    /// training step, too short to be seen as load.
    private static final long SPIN_NANOS = 100_000;

    private static final int MAX_THREADS = 1024;

    /// How many callers share the pool at a time; one more runs its loop alone.
    private static final int SLOTS = 32;

    /// Set while the thread runs a chunk: loops inside of it run inline.
    private static final ThreadLocal<boolean[]> INSIDE =
            ThreadLocal.withInitial(() -> new boolean[1]);

    private static volatile @Nullable Team team;

    private Parallel() {}

    /// The body of a loop.
    @FunctionalInterface
    public interface RangeBody {
        /// Works on the indices `from` (inclusive) to `to` (exclusive).
        void run(int from, int to);
    }

    /// Runs the body over 0 … n−1, in chunks of `grain` indices, the last one shorter.
    ///
    /// Returns when all chunks are done. A single chunk runs in the calling thread; chunks of a
    /// loop inside a chunk run one after the other in the thread of the outer chunk. When a body
    /// throws, chunks not begun are dropped and the exception is thrown here.
    ///
    /// @param grain indices in a chunk, at least 1: about 20 microseconds' worth of work or more
    /// @throws PanagradException if `n` is negative or `grain` is not positive
    public static void forRange(int n, int grain, RangeBody body) {
        if (n < 0 || grain < 1) {
            throw new PanagradException(
                    "parallel",
                    "bad range",
                    "n " + n + ", grain " + grain,
                    "n >= 0, grain >= 1",
                    "");
        }
        if (n <= grain) {
            if (n > 0) {
                body.run(0, n);
            }
            return;
        }
        boolean[] inside = INSIDE.get();
        Team now = team();
        if (inside[0] || now.workers.length == 0) {
            for (int from = 0; from < n; ) {
                int to = n - from > grain ? from + grain : n;
                body.run(from, to);
                from = to;
            }
            return;
        }
        var job = new Job(n, grain, body);
        inside[0] = true;
        try {
            now.run(job);
        } finally {
            inside[0] = false;
        }
        job.rethrow();
    }

    /// Returns how many threads share the work, the caller included.
    public static int threads() {
        return team().workers.length + 1;
    }

    /// Sets how many threads share the work, the caller included; loops that run already keep
    /// theirs.
    ///
    /// The default is the system property `panagrad.threads`, else the number of processors.
    ///
    /// @throws PanagradException if the number is not between 1 and 1024
    public static synchronized void setThreads(int threads) {
        if (threads < 1 || threads > MAX_THREADS) {
            throw new PanagradException(
                    "threads", "out of range", "" + threads, "1 to " + MAX_THREADS, "");
        }
        Team old = team;
        if (old != null && old.workers.length + 1 == threads) {
            return;
        }
        team = new Team(threads - 1);
        if (old != null) {
            old.stop();
        }
    }

    private static Team team() {
        Team now = team;
        return now != null ? now : firstTeam();
    }

    private static synchronized Team firstTeam() {
        Team now = team;
        if (now == null) {
            setThreads(defaultThreads());
            now = team();
        }
        return now;
    }

    private static int defaultThreads() {
        String property = System.getProperty("panagrad.threads");
        if (property == null) {
            return Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors());
        }
        try {
            return Integer.parseInt(property.trim());
        } catch (NumberFormatException e) {
            throw new PanagradException(
                    "threads",
                    "property panagrad.threads is not a number",
                    "'" + property + "'",
                    "1 to " + MAX_THREADS,
                    "");
        }
    }

    /// One loop being worked on.
    private static final class Job {
        private final int n;
        private final int grain;
        private final int chunks;
        private final RangeBody body;
        private final Thread caller = Thread.currentThread();
        private final AtomicLong next = new AtomicLong();
        private final AtomicInteger open;
        private volatile boolean callerParked;
        private volatile @Nullable Throwable failure;

        Job(int n, int grain, RangeBody body) {
            this.n = n;
            this.grain = grain;
            this.body = body;
            chunks = (n - 1) / grain + 1;
            open = new AtomicInteger(chunks);
        }

        boolean hasWork() {
            return next.get() < chunks;
        }

        /// Runs chunks until none is left to begin.
        void help() {
            for (long chunk; hasWork() && (chunk = next.getAndIncrement()) < chunks; ) {
                if (failure == null) {
                    int from = (int) chunk * grain;
                    try {
                        body.run(from, n - from > grain ? from + grain : n);
                    } catch (Throwable t) {
                        failure = t;
                    }
                }
                if (open.decrementAndGet() == 0 && callerParked) {
                    LockSupport.unpark(caller);
                }
            }
        }

        void awaitOthers() {
            long since = 0;
            for (int spins = 1; open.get() != 0; spins++) {
                Thread.onSpinWait();
                if ((spins & 63) == 0) {
                    long time = System.nanoTime();
                    since = since == 0 ? time : since;
                    if (time - since > SPIN_NANOS) {
                        park();
                        return;
                    }
                }
            }
        }

        private void park() {
            callerParked = true;
            boolean interrupted = false;
            while (open.get() != 0) {
                LockSupport.park(this);
                interrupted |= Thread.interrupted();
            }
            if (interrupted) {
                caller.interrupt();
            }
        }

        void rethrow() {
            Throwable thrown = failure;
            if (thrown != null) {
                Job.<RuntimeException>sneak(thrown);
            }
        }

        @SuppressWarnings("unchecked")
        private static <T extends Throwable> void sneak(Throwable thrown) throws T {
            throw (T) thrown;
        }
    }

    /// The workers of one thread setting and the jobs they may help with.
    private static final class Team {
        private final AtomicReferenceArray<@Nullable Job> jobs = new AtomicReferenceArray<>(SLOTS);
        private final AtomicInteger submissions = new AtomicInteger();
        private final Worker[] workers;
        private volatile boolean stopped;

        Team(int size) {
            workers = new Worker[size];
            for (int i = 0; i < size; i++) {
                workers[i] = new Worker(this);
            }
            for (int i = 0; i < size; i++) {
                workers[i].start(i + 1);
            }
        }

        void run(Job job) {
            int slot = publish(job);
            if (slot >= 0) {
                submissions.incrementAndGet();
                wake();
            }
            job.help();
            if (slot >= 0) {
                jobs.set(slot, null);
            }
            job.awaitOthers();
        }

        private int publish(Job job) {
            for (int slot = 0; slot < SLOTS; slot++) {
                if (jobs.compareAndSet(slot, null, job)) {
                    return slot;
                }
            }
            return -1;
        }

        @Nullable Job find() {
            for (int slot = 0; slot < SLOTS; slot++) {
                Job job = jobs.get(slot);
                if (job != null && job.hasWork()) {
                    return job;
                }
            }
            return null;
        }

        /// Wakes two parked workers; each wakes two more if there still is work, so that no single
        /// thread pays for waking a large team.
        void wake() {
            int woken = 0;
            for (int i = 0; i < workers.length && woken < 2; i++) {
                if (workers[i].unpark()) {
                    woken++;
                }
            }
        }

        void stop() {
            stopped = true;
            submissions.incrementAndGet();
            for (Worker worker : workers) {
                worker.unpark();
            }
        }
    }

    private static final class Worker implements Runnable {
        private final Team team;
        private final AtomicInteger parked = new AtomicInteger();
        private @Nullable Thread thread;

        Worker(Team team) {
            this.team = team;
        }

        void start(int number) {
            thread =
                    Thread.ofPlatform()
                            .name("panagrad-" + number)
                            .daemon()
                            .inheritInheritableThreadLocals(false)
                            .unstarted(this);
            thread.start();
        }

        boolean unpark() {
            if (parked.get() == 1 && parked.compareAndSet(1, 0)) {
                LockSupport.unpark(thread);
                return true;
            }
            return false;
        }

        @Override
        public void run() {
            INSIDE.get()[0] = true;
            while (true) {
                int seen = team.submissions.get();
                Job job = team.find();
                if (job != null) {
                    team.wake();
                    job.help();
                } else if (team.stopped) {
                    return;
                } else if (!spinFor(seen)) {
                    parkUntil(seen);
                }
            }
        }

        /// Watches for a submission after `seen`; false when it gave up.
        private boolean spinFor(int seen) {
            long start = System.nanoTime();
            while (team.submissions.get() == seen) {
                for (int i = 0; i < 32 && team.submissions.get() == seen; i++) {
                    Thread.onSpinWait();
                }
                if (System.nanoTime() - start > SPIN_NANOS) {
                    return team.submissions.get() != seen;
                }
            }
            return true;
        }

        private void parkUntil(int seen) {
            parked.set(1);
            while (team.submissions.get() == seen && parked.get() == 1) {
                LockSupport.park(team);
            }
            parked.set(0);
        }
    }
}
