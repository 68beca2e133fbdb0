package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.spi.DeviceLimits;
import io.github.panagrad.tornado.cublas.Precision;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import java.util.Optional;
import java.util.function.IntConsumer;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// What a device can do at best: chains of multiplications and additions in registers, or a large
/// product where tensor cores compute products; and the triad of STREAM (McCalpin, 1995),
/// a = b + s·c.
///
/// Chains and vectors are long enough for what a launch itself takes not to count much.
public final class LimitKernels {
    private static final int LOCAL = 128;
    private static final int THREADS = 1 << 18;

    /// Chains of a thread, none of which waits for another.
    private static final int CHAINS = 8;

    /// Steps of each chain in a round.
    private static final int STEPS = 16;

    /// Elements of the triad's vectors at least, if there is room: more than caches hold.
    private static final int SHORTEST = 1 << 24;

    private static final int LONGEST = 1 << 28;

    /// Seconds that a launch has to take to be measured.
    private static final double LONG_ENOUGH = 0.02;

    private static final int LAUNCHES = 7;

    /// Rows and columns of the factors of the product at most.
    private static final int LARGEST_PRODUCT = 8192;

    private final PanagradDevice device;
    private final CopyKernels copies;
    private final MatMulKernels products;
    private final Program chains;
    private final Program triad;

    LimitKernels(PanagradDevice device, CopyKernels copies, MatMulKernels products) {
        this.device = device;
        this.copies = copies;
        this.products = products;
        Programs programs = device.programs();
        chains = programs.add("chains", LOCAL, LimitKernels::kChains);
        triad = programs.add("triad", LOCAL, LimitKernels::kTriad);
    }

    /// Measures both, for about a second; what that allocates does not count as the peak.
    public DeviceLimits measure() {
        Optional<Precision> rounded = products.rounding();
        int side = LARGEST_PRODUCT;
        while (3L * side * side > device.capacity() / 2) {
            side /= 2;
        }
        var limits =
                rounded.isPresent()
                        ? new DeviceLimits(
                                productFlops(side),
                                "a product of %1$d × %1$d by cuBLAS in %2$s"
                                        .formatted(side, rounded.get().label()),
                                bytesPerSecond())
                        : new DeviceLimits(
                                chainFlops(),
                                "chains of multiplications and additions",
                                bytesPerSecond());
        device.forgetPeak();
        return limits;
    }

    private double productFlops(int side) {
        int elements = side * side;
        DeviceStorage all = device.allocate(DType.F32, 3L * elements);
        copies.fill(all.at(), 3 * elements, 1f);
        Matrix a = Matrix.contiguous(all.at(), side, side);
        Matrix b = Matrix.contiguous(all.at() + elements, side, side);
        Matrix c = Matrix.contiguous(all.at() + 2 * elements, side, side);
        double seconds = Double.POSITIVE_INFINITY;
        for (int i = 0; i < LAUNCHES; i++) {
            seconds = Math.min(seconds, seconds(rounds -> products.product(a, b, c, false), 1));
        }
        all.release("limits");
        return 2.0 * elements * side / seconds;
    }

    private double chainFlops() {
        DeviceStorage to = device.allocate(DType.F32, THREADS);
        double rounds =
                roundsPerSecond(n ->
                        chains.launch(THREADS, new int[] {THREADS, to.at(), n}, 0.999f, 0.001f));
        to.release("limits");
        return rounds * THREADS * CHAINS * STEPS * 2.0;
    }

    /// Takes vectors as long as are needed for a launch to be long enough, or as there is room for.
    private double bytesPerSecond() {
        int most = (int) Math.min(LONGEST, device.capacity() / 8);
        int n = Math.min(SHORTEST, most);
        double seconds = triadSeconds(n);
        while (seconds < LONG_ENOUGH && n <= most / 2) {
            n *= 2;
            seconds = triadSeconds(n);
        }
        return 12.0 * n / seconds;
    }

    private double triadSeconds(int n) {
        DeviceStorage vectors = device.allocate(DType.F32, 3L * n);
        int at = vectors.at();
        // written once beforehand: what was never written may not exist yet
        copies.fill(at, 3 * n, 1f);
        int[] numbers = {n, at, at + n, at + 2 * n};
        double seconds = Double.POSITIVE_INFINITY;
        for (int i = 0; i < LAUNCHES; i++) {
            seconds = Math.min(seconds, seconds(rounds -> triad.launch(n, numbers, 0.5f), 1));
        }
        vectors.release("limits");
        return seconds;
    }

    /// Returns the best of some launches that are long enough.
    private double roundsPerSecond(IntConsumer launch) {
        launch.accept(1);
        int rounds = 1;
        double seconds = seconds(launch, rounds);
        while (seconds < LONG_ENOUGH && rounds < 1 << 24) {
            rounds *= 2;
            seconds = seconds(launch, rounds);
        }
        for (int i = 1; i < LAUNCHES; i++) {
            seconds = Math.min(seconds, seconds(launch, rounds));
        }
        return rounds / seconds;
    }

    private double seconds(IntConsumer launch, int rounds) {
        device.finish();
        long start = System.nanoTime();
        launch.accept(rounds);
        device.finish();
        return (System.nanoTime() - start) * 1e-9;
    }

    // p: threads, to, rounds; r: factor, summand

    private static void kChains(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float a = r.get(0);
            float b = r.get(1);
            float x0 = i;
            float x1 = x0 + 1f;
            float x2 = x0 + 2f;
            float x3 = x0 + 3f;
            float x4 = x0 + 4f;
            float x5 = x0 + 5f;
            float x6 = x0 + 6f;
            float x7 = x0 + 7f;
            int steps = p.get(2) * STEPS;
            for (int step = 0; step < steps; step++) {
                x0 = x0 * a + b;
                x1 = x1 * a + b;
                x2 = x2 * a + b;
                x3 = x3 * a + b;
                x4 = x4 * a + b;
                x5 = x5 * a + b;
                x6 = x6 * a + b;
                x7 = x7 * a + b;
            }
            f.set(p.get(1) + i, x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7);
        }
    }

    // p: n, a, b, c; r: s

    private static void kTriad(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            f.set(p.get(1) + i, f.get(p.get(2) + i) + r.get(0) * f.get(p.get(3) + i));
        }
    }
}
