package io.github.panagrad.bench;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Rng;
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
import org.openjdk.jmh.infra.Blackhole;

/// Times F32 matrix products, as a user calls them, in the shapes of a small Llama's step.
///
/// Time per product; GFLOP/s = 2 · rows · inner · columns / time in ns. Several forks, since some
/// JVM runs compile the same kernel to a fraction of its speed.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class MatMulBenchmark {
    /// rows x inner x columns
    @Param({"1x288x768", "256x288x768", "1024x288x768", "512x512x512"})
    public String shape;

    /// Whether the second operand is a transposed view, as the weight of a linear layer is.
    @Param({"false", "true"})
    public boolean transposed;

    /// How many threads share a product.
    @Param("1")
    public int threads;

    private Tensor a;
    private Tensor b;

    /// Draws the operands.
    @Setup
    public void draw() {
        String[] sizes = shape.split("x");
        int rows = Integer.parseInt(sizes[0]);
        int inner = Integer.parseInt(sizes[1]);
        int columns = Integer.parseInt(sizes[2]);
        Parallel.setThreads(threads);
        Rng rng = Rng.of(1);
        a = Ops.randn(rng, rows, inner);
        b =
                transposed
                        ? Ops.randn(rng, columns, inner).transpose()
                        : Ops.randn(rng, inner, columns);
    }

    /// Multiplies; the scope hands the result's array back to the pool.
    @Benchmark
    public void multiply(Blackhole sink) {
        Ops.scope(() -> sink.consume(a.matmul(b)));
    }
}
