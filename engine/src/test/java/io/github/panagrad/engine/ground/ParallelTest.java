package io.github.panagrad.engine.ground;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ParallelTest {
    private int before;

    @BeforeEach
    void remember() {
        before = Parallel.threads();
    }

    @AfterEach
    void restore() {
        Parallel.setThreads(before);
    }

    @Test
    void coversEveryIndexOnce() {
        long seed = Long.getLong("panagrad.seed", 1);
        var random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            Parallel.setThreads(1 + random.nextInt(6));
            int n = random.nextInt(2000);
            int grain = 1 + random.nextInt(300);
            var hits = new AtomicIntegerArray(n);
            Parallel.forRange(
                    n,
                    grain,
                    (from, to) -> {
                        for (int i = from; i < to; i++) {
                            hits.incrementAndGet(i);
                        }
                    });
            for (int i = 0; i < n; i++) {
                assertThat(hits.get(i))
                        .as("seed %d, n %d, grain %d, i %d", seed, n, grain, i)
                        .isEqualTo(1);
            }
        }
    }

    @Test
    void chunksDoNotDependOnThreads() {
        for (int[] c : new int[][] {{1000, 7}, {1000, 1000}, {999, 1000}, {5, 1}, {64, 16}}) {
            var expected = new TreeSet<String>();
            for (int from = 0; from < c[0]; from += c[1]) {
                expected.add(from + "-" + Math.min(c[0], from + c[1]));
            }
            for (int threads : new int[] {1, 2, 3, 8}) {
                Parallel.setThreads(threads);
                assertThat(chunks(c[0], c[1])).isEqualTo(expected);
                var nested = new ConcurrentSkipListSet<String>();
                Parallel.forRange(2, 1, (f, t) -> nested.addAll(chunks(c[0], c[1])));
                assertThat(nested).isEqualTo(expected);
            }
        }
    }

    private static Set<String> chunks(int n, int grain) {
        var chunks = new ConcurrentSkipListSet<String>();
        Parallel.forRange(n, grain, (from, to) -> chunks.add(from + "-" + to));
        return chunks;
    }

    @Test
    void usesSeveralThreadsAtOnce() {
        Parallel.setThreads(4);
        var all = new CountDownLatch(4);
        var names = ConcurrentHashMap.newKeySet();
        Parallel.forRange(
                4,
                1,
                (from, to) -> {
                    names.add(Thread.currentThread().getName());
                    all.countDown();
                    await(all);
                });
        assertThat(names).hasSize(4).contains(Thread.currentThread().getName());
    }

    @Test
    void wakesParkedWorkers() throws InterruptedException {
        Parallel.setThreads(3);
        for (int round = 0; round < 5; round++) {
            Thread.sleep(20);
            var all = new CountDownLatch(3);
            Parallel.forRange(
                    3,
                    1,
                    (from, to) -> {
                        all.countDown();
                        await(all);
                    });
            assertThat(all.getCount()).isZero();
        }
    }

    @Test
    void idleWorkersPark() throws InterruptedException {
        Parallel.setThreads(3);
        Parallel.forRange(3, 1, (from, to) -> {});
        List<Thread> workers =
                Thread.getAllStackTraces().keySet().stream()
                        .filter(t -> t.getName().startsWith("panagrad-"))
                        .toList();
        assertThat(workers).isNotEmpty().allMatch(Thread::isDaemon);
        for (Thread worker : workers) {
            for (int tries = 0;
                    tries < 1000 && worker.getState() == Thread.State.RUNNABLE;
                    tries++) {
                Thread.sleep(5);
            }
            assertThat(worker.getState()).isNotEqualTo(Thread.State.RUNNABLE);
        }
    }

    @Test
    void runsNestedLoopsInline() {
        Parallel.setThreads(4);
        Parallel.forRange(
                8,
                1,
                (from, to) -> {
                    Thread outer = Thread.currentThread();
                    Parallel.forRange(
                            100, 3, (f, t) -> assertThat(Thread.currentThread()).isSameAs(outer));
                });
    }

    @Test
    void runsSmallLoopsInTheCaller() {
        Thread caller = Thread.currentThread();
        Parallel.forRange(10, 10, (f, t) -> assertThat(Thread.currentThread()).isSameAs(caller));
    }

    @Test
    void runsNothingForAnEmptyRange() {
        Parallel.forRange(0, 4, (f, t) -> assertThat(f).as("called").isNegative());
    }

    @Test
    void throwsWhatTheBodyThrows() {
        for (int threads : new int[] {1, 2, 4}) {
            Parallel.setThreads(threads);
            for (int bad : new int[] {0, 50, 99}) {
                var thrown = new IllegalStateException("chunk " + bad);
                assertThatThrownBy(() ->
                                Parallel.forRange(
                                        100,
                                        1,
                                        (from, to) -> {
                                            if (from == bad) {
                                                throw thrown;
                                            }
                                        }))
                        .isSameAs(thrown);
            }
            assertThatThrownBy(() -> Parallel.forRange(9, 1, (f, t) -> fail()))
                    .isInstanceOf(OutOfMemoryError.class);
            var count = new AtomicInteger();
            Parallel.forRange(100, 1, (from, to) -> count.addAndGet(to - from));
            assertThat(count).as("usable after a failure").hasValue(100);
        }
    }

    private static void fail() {
        throw new OutOfMemoryError("pretended");
    }

    @Test
    void servesManyCallersWhileTheThreadsChange() throws InterruptedException {
        var failure = new AtomicReference<Throwable>();
        var callers = new ArrayList<Thread>();
        for (int c = 0; c < 48; c++) {
            int id = c;
            Runnable work =
                    () -> {
                        for (int round = 0; round < 100; round++) {
                            var sum = new AtomicInteger();
                            int n = 1 + (id * 31 + round) % 97;
                            Parallel.forRange(
                                    n,
                                    1 + round % 5,
                                    (from, to) -> {
                                        for (int i = from; i < to; i++) {
                                            sum.addAndGet(i);
                                        }
                                    });
                            assertThat(sum.get()).isEqualTo(n * (n - 1) / 2);
                        }
                    };
            var builder = c % 3 == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
            callers.add(builder.uncaughtExceptionHandler((t, e) -> failure.set(e)).start(work));
        }
        for (int i = 0; i < 40; i++) {
            Parallel.setThreads(1 + i % 5);
            Thread.sleep(1);
        }
        for (Thread caller : callers) {
            caller.join();
        }
        assertThat(failure.get()).isNull();
    }

    @Test
    void keepsTheInterruptOfTheCaller() {
        Parallel.setThreads(2);
        Thread.currentThread().interrupt();
        var started = new CountDownLatch(2);
        Parallel.forRange(
                2,
                1,
                (from, to) -> {
                    started.countDown();
                    boolean interrupted = Thread.interrupted();
                    await(started);
                    if (interrupted) {
                        Thread.currentThread().interrupt();
                    } else {
                        long end = System.nanoTime() + 20_000_000;
                        while (System.nanoTime() < end) {
                            Thread.onSpinWait();
                        }
                    }
                });
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void refusesBadNumbers() {
        assertThatThrownBy(() -> Parallel.forRange(-1, 1, (f, t) -> {}))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("n -1");
        assertThatThrownBy(() -> Parallel.forRange(1, 0, (f, t) -> {}))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("grain 0");
        assertThatThrownBy(() -> Parallel.setThreads(0))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("1 to 1024");
    }

    @Test
    void reachesTheLargestIndex() {
        Parallel.setThreads(2);
        int n = Integer.MAX_VALUE;
        var count = new AtomicInteger();
        Parallel.forRange(n, n - 1, (from, to) -> count.addAndGet(to - from));
        assertThat(count).hasValue(n);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
