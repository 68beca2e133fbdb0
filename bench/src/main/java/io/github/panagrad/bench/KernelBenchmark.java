package io.github.panagrad.bench;

import io.github.panagrad.bench.peers.OwnSides;
import io.github.panagrad.bench.peers.Problem;
import io.github.panagrad.bench.peers.Side;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// What the benchmarks of all kernel families share: the problems of the runs beside peers, several
/// forks, since some JVM runs compile the same kernel to a fraction of its speed.
///
/// Time per run: forward and backward where there is one.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 3,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-Xms4g", "-Xmx4g"})
public abstract class KernelBenchmark {
    /// How many threads share the work.
    @Param("1")
    public int threads;

    private Side side;

    /// Returns what is computed.
    protected abstract Problem problem();

    /// Prepares the inputs.
    @Setup
    public void open() {
        side = new OwnSides().open(problem(), threads);
    }

    /// Computes once; the scope hands the results' arrays back to the pool.
    @Benchmark
    public void run() {
        side.run();
    }
}
