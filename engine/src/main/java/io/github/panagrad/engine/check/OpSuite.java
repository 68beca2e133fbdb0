package io.github.panagrad.engine.check;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.op.Reshape;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Surrogate;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Every op on every sample, on one device: derivative, kernel, layout, threads, fusion.
///
/// A test turns [#checks] into test cases; any test framework will do.
public final class OpSuite {
    /// The largest relative error of a gradient in F64.
    public static final double GRADIENT_TOLERANCE = 1e-6;

    private OpSuite() {}

    /// One check: a name and what throws an [AssertionError] if it fails.
    public record Check(String name, Runnable body) {}

    /// Returns the checks of one op class.
    ///
    /// @param tolerance how far an F32 kernel may be from the reference, relative to the largest
    ///     value
    /// @throws IllegalStateException if the class has no samples
    public static List<Check> checks(Class<? extends Op> op, Device device, double tolerance) {
        var checks = new ArrayList<Check>();
        int number = 0;
        for (Sample sample : samples(op)) {
            String name = sample.op() + " #" + number++;
            if (device.equals(Device.REFERENCE)) {
                checks.add(new Check(name + " gradient", () -> gradient(sample)));
                checks.add(new Check(name + " second gradient", () -> secondGradient(sample)));
            } else {
                checks.add(
                        new Check(
                                name + " = reference",
                                () ->
                                        close(
                                                results(sample, device, false),
                                                results(sample, Device.REFERENCE, false),
                                                tolerance)));
                checks.add(
                        new Check(
                                name + " same bits for 1 and 4 threads",
                                () ->
                                        close(
                                                threads(1, () -> results(sample, device, false)),
                                                threads(4, () -> results(sample, device, false)),
                                                0)));
            }
            // A reshape of gappy memory is a copy first, which Tensor.reshape makes.
            if (!(sample.op() instanceof Reshape)) {
                checks.add(
                        new Check(
                                name + " strided = contiguous",
                                () ->
                                        close(
                                                results(sample, device, true),
                                                results(sample, device, false),
                                                tolerance / 4)));
            }
            if (sample.op() instanceof Fused fused) {
                checks.add(
                        new Check(
                                name + " = composed",
                                () ->
                                        close(
                                                results(sample, device, false),
                                                run(sample, device, false, fused::composed),
                                                tolerance)));
            }
        }
        return checks;
    }

    /// Returns the samples that an op class declares.
    ///
    /// @throws IllegalStateException if there are none
    @SuppressWarnings("unchecked")
    public static List<Sample> samples(Class<? extends Op> op) {
        try {
            var samples = (List<Sample>) op.getMethod("samples").invoke(null);
            if (samples.isEmpty()) {
                throw new IllegalStateException(op.getName() + " has an empty list of samples");
            }
            return samples;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(
                    op.getName() + " lacks `public static List<Sample> samples()`", e);
        }
    }

    private static Tensor[] draw(Sample sample, DType dtype, Device device, boolean strided) {
        Rng rng = Rng.of(17);
        return sample.args().stream()
                .map(arg -> arg.draw(dtype, device, rng, strided))
                .toArray(Tensor[]::new);
    }

    private static boolean[] differentiable(Sample sample) {
        boolean[] flags = new boolean[sample.args().size()];
        for (int i = 0; i < flags.length; i++) {
            flags[i] = sample.args().get(i).isDifferentiable();
        }
        return flags;
    }

    private static boolean any(boolean[] flags) {
        for (boolean flag : flags) {
            if (flag) {
                return true;
            }
        }
        return false;
    }

    private static void gradient(Sample sample) {
        if (sample.op() instanceof Surrogate surrogate) {
            gradientOf(surrogate, sample);
        } else if (any(differentiable(sample))) {
            double error =
                    GradCheck.maxError(
                            in -> gradientful(sample.op(), Tape.apply(sample.op(), in)),
                            draw(sample, DType.F64, Device.REFERENCE, false),
                            differentiable(sample));
            require(error <= GRADIENT_TOLERANCE, "gradient off by %.2e".formatted(error));
        }
    }

    /// Checks the derivative that an op declares: that of its surrogate, which is checked by itself.
    private static void gradientOf(Surrogate surrogate, Sample sample) {
        double error =
                GradCheck.maxError(
                        surrogate::surrogate,
                        draw(sample, DType.F64, Device.REFERENCE, false),
                        differentiable(sample));
        require(error <= GRADIENT_TOLERANCE, "surrogate's gradient off by %.2e".formatted(error));
        List<double[]> own = results(sample, Device.REFERENCE, false);
        List<double[]> declared = run(sample, Device.REFERENCE, false, surrogate::surrogate);
        int results =
                Tape.apply(sample.op(), draw(sample, DType.F32, Device.REFERENCE, false)).length;
        close(
                own.subList(results, own.size()),
                declared.subList(results, declared.size()),
                GRADIENT_TOLERANCE);
    }

    private static void secondGradient(Sample sample) {
        if (sample.op() instanceof Surrogate) {
            return;
        }
        boolean[] flags = differentiable(sample);
        Tensor[] inputs = draw(sample, DType.F64, Device.REFERENCE, false);
        if (!any(flags) || Arrays.stream(inputs).mapToLong(Tensor::size).sum() > 100) {
            return;
        }
        double error =
                GradCheck.maxError(
                        in -> Tape.recording(true, () -> gradients(sample.op(), in, flags)),
                        inputs,
                        flags);
        require(error <= 20 * GRADIENT_TOLERANCE, "second gradient off by %.2e".formatted(error));
    }

    /// Returns the gradients of the sum of squares of an op's results, differentiable again.
    private static Tensor[] gradients(Op op, Tensor[] in, boolean[] flags) {
        Tensor[] leaves = in.clone();
        var wanted = new ArrayList<Tensor>();
        for (int i = 0; i < flags.length; i++) {
            if (flags[i]) {
                leaves[i] = in[i].requiresGrad() ? in[i] : in[i].requireGrad();
                wanted.add(leaves[i]);
            }
        }
        Tensor sum = Ops.tensor64(new double[1]).to(Device.REFERENCE);
        for (Tensor y : gradientful(op, Tape.apply(op, leaves))) {
            sum = sum.add(y.square().sum());
        }
        return Ops.grad(sum, wanted, true).toArray(Tensor[]::new);
    }

    private static Tensor[] gradientful(Op op, Tensor[] out) {
        var kept = new ArrayList<Tensor>();
        for (int i = 0; i < out.length; i++) {
            boolean flows = !(op instanceof Fused fused) || fused.hasGradient(i);
            if (flows && out[i].dtype().isFloating()) {
                kept.add(out[i]);
            }
        }
        return kept.toArray(Tensor[]::new);
    }

    private interface Application {
        Tensor[] apply(Tensor[] in);
    }

    private static List<double[]> results(Sample sample, Device device, boolean strided) {
        return run(sample, device, strided, in -> Tape.apply(sample.op(), in));
    }

    /// Returns the values of all results, then of the gradients of all differentiable operands.
    private static List<double[]> run(
            Sample sample, Device device, boolean strided, Application application) {
        Tensor[] in = draw(sample, DType.F32, device, strided);
        boolean[] flags = differentiable(sample);
        for (int i = 0; i < in.length; i++) {
            if (flags[i]) {
                in[i] = in[i].requireGrad();
            }
        }
        Tensor[] out = application.apply(in);
        var values = new ArrayList<double[]>();
        for (Tensor y : out) {
            values.add(y.toDoubles());
        }
        Tensor loss = null;
        int number = 0;
        for (Tensor y : gradientful(sample.op(), out)) {
            Rng.Draw draw = Rng.of(100 + number++).draw();
            float[] weight = new float[y.shape().intSize()];
            for (int i = 0; i < weight.length; i++) {
                weight[i] = draw.uniform(i) + 0.5f;
            }
            Tensor part =
                    y.to(DType.F32).mul(Ops.tensor(weight, y.shape().toArray()).to(device)).sum();
            loss = loss == null ? part : loss.add(part);
        }
        if (any(flags) && loss != null && loss.requiresGrad()) {
            Grads grads = loss.backward();
            for (int i = 0; i < in.length; i++) {
                if (flags[i]) {
                    int n = in[i].shape().intSize();
                    values.add(grads.find(in[i]).map(Tensor::toDoubles).orElse(new double[n]));
                }
            }
        }
        return values;
    }

    private static <T> T threads(int n, Supplier<T> body) {
        int before = Parallel.threads();
        Parallel.setThreads(n);
        try {
            return body.get();
        } finally {
            Parallel.setThreads(before);
        }
    }

    private static void close(List<double[]> actual, List<double[]> expected, double tolerance) {
        require(actual.size() == expected.size(), "number of results differs");
        for (int r = 0; r < actual.size(); r++) {
            double[] a = actual.get(r);
            double[] e = expected.get(r);
            require(a.length == e.length, "size of result " + r + " differs");
            double scale = tolerance == 0 ? 0 : 1;
            for (double value : e) {
                scale = Double.isFinite(value) ? Math.max(scale, Math.abs(value)) : scale;
            }
            for (int i = 0; i < a.length; i++) {
                boolean same = a[i] == e[i] || (Double.isNaN(a[i]) && Double.isNaN(e[i]));
                require(
                        same || Math.abs(a[i] - e[i]) <= tolerance * scale,
                        String.format(
                                Locale.ROOT,
                                "result %d[%d] is %.9g, expected %.9g (tolerance %.1e of %.3g)",
                                r,
                                i,
                                a[i],
                                e[i],
                                tolerance,
                                scale));
            }
        }
    }

    private static void require(boolean holds, @Nullable String message) {
        if (!holds) {
            throw new AssertionError(message);
        }
    }
}
