package io.github.panagrad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.check.OpClasses;
import io.github.panagrad.engine.check.OpSuite;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.op.Binary;
import io.github.panagrad.engine.op.Compare;
import io.github.panagrad.engine.op.Unary;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Kernels agree with the reference at zeros, ties, bounds, infinities, NaN, and where functions
/// overflow or saturate.
class SpecialValuesTest {
    private static final float INF = Float.POSITIVE_INFINITY;

    private static final float[] FINITE = {
        0, -0f, 1, -1, 0.5f, -0.5f, 0.055f, -0.055f, 0.075f, 3, -3, 7, -7, 20, -20, 50, -50, 80,
        -80,
    };

    private static final float[] EXTREME = {
        INF, -INF, Float.NaN, 88, -88, 100, -100, 1e10f, -1e10f, 1e20f, -1e20f, 1e-30f, -1e-30f,
    };

    @TestFactory
    Stream<DynamicTest> values() {
        float[] all = join(FINITE, EXTREME);
        return ops().map(op -> test(op, () -> compare(op, operands(op, all), false)));
    }

    @TestFactory
    Stream<DynamicTest> gradients() {
        return ops().filter(op -> !(op instanceof Compare))
                .map(op -> test(op, () -> compare(op, operands(op, FINITE), true)));
    }

    private static Stream<Op> ops() {
        return OpClasses.all().stream()
                .filter(op ->
                        Unary.class.isAssignableFrom(op)
                                || Binary.class.isAssignableFrom(op)
                                || op == Compare.class)
                .flatMap(op -> OpSuite.samples(op).stream().map(Sample::op).distinct());
    }

    private static DynamicTest test(Op op, Runnable body) {
        return DynamicTest.dynamicTest(op.toString(), body::run);
    }

    private static float[] join(float[] a, float[] b) {
        float[] both = java.util.Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    /// Returns the values, or all pairs of them.
    private static List<float[]> operands(Op op, float[] values) {
        if (op instanceof Unary) {
            return List.of(values.clone());
        }
        int n = values.length;
        float[] left = new float[n * n];
        float[] right = new float[n * n];
        for (int i = 0; i < n * n; i++) {
            left[i] = values[i / n];
            right[i] = values[i % n];
        }
        return List.of(left, right);
    }

    private static void compare(Op op, List<float[]> operands, boolean gradients) {
        List<double[]> actual = run(op, operands, Device.CPU, gradients);
        List<double[]> expected = run(op, operands, Device.REFERENCE, gradients);
        for (int r = 0; r < expected.size(); r++) {
            for (int i = 0; i < expected.get(r).length; i++) {
                double a = actual.get(r)[i];
                double e = expected.get(r)[i];
                // A gradient from a saved result, like y·(1 − y), has its rounding.
                double least = gradients ? 0.05 : 1e-3;
                boolean same =
                        a == e
                                || Double.isNaN(a) && Double.isNaN(e)
                                || Math.abs(a - e) <= 1e-5 * Math.max(least, Math.abs(e));
                int at = i;
                assertThat(same)
                        .as(
                                "result %d of %s at %s is %s, expected %s",
                                r, op, operands.stream().map(o -> o[at]).toList(), a, e)
                        .isTrue();
            }
        }
    }

    private static List<double[]> run(
            Op op, List<float[]> operands, Device device, boolean gradients) {
        Tensor[] in = new Tensor[operands.size()];
        for (int i = 0; i < in.length; i++) {
            in[i] = Ops.tensor(operands.get(i).clone(), operands.get(i).length).to(device);
            in[i] = gradients ? in[i].requireGrad() : in[i];
        }
        Tensor y = Tape.one(op, in);
        var results = new ArrayList<double[]>();
        if (gradients) {
            Grads grads = y.sum().backward();
            for (Tensor x : in) {
                results.add(grads.get(x).toDoubles());
            }
        } else {
            results.add(y.toDoubles());
        }
        return results;
    }
}
