package io.github.panagrad.tornado;

import static io.github.panagrad.tornado.HostComparison.DEVICE;
import static io.github.panagrad.tornado.HostComparison.check;
import static io.github.panagrad.tornado.HostComparison.random;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.Abs;
import io.github.panagrad.engine.op.Clamp;
import io.github.panagrad.engine.op.Cos;
import io.github.panagrad.engine.op.Erf;
import io.github.panagrad.engine.op.Gelu;
import io.github.panagrad.engine.op.GeluTanh;
import io.github.panagrad.engine.op.LeakyRelu;
import io.github.panagrad.engine.op.PowScalar;
import io.github.panagrad.engine.op.Relu;
import io.github.panagrad.engine.op.Rope;
import io.github.panagrad.engine.op.Rsqrt;
import io.github.panagrad.engine.op.Sigmoid;
import io.github.panagrad.engine.op.Silu;
import io.github.panagrad.engine.op.Sin;
import io.github.panagrad.engine.op.Softplus;
import io.github.panagrad.engine.op.Sqrt;
import io.github.panagrad.engine.op.SwiGlu;
import io.github.panagrad.engine.op.Tanh;
import io.github.panagrad.engine.op.Unary;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Tape;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Gradients element by element, and what turns or gates elements.
class GradientKernelsTest {
    @BeforeEach
    void clearLog() {
        Backends.clearLog();
    }

    static Stream<Unary> functions() {
        return Stream.of(
                new Abs(),
                new Clamp(-0.5, 0.7),
                new Cos(),
                new Erf(),
                new Gelu(),
                new GeluTanh(),
                new LeakyRelu(0.1),
                new PowScalar(2),
                new PowScalar(3),
                new PowScalar(0),
                new Relu(),
                new Sigmoid(),
                new Silu(),
                new Sin(),
                new Softplus(),
                new Tanh());
    }

    @ParameterizedTest
    @MethodSource("functions")
    void differentiates(Unary function) {
        check(function, random(1001).mul(3));
        HostComparison.assertOwnKernels("UnaryGrad");
    }

    @Test
    void differentiatesRoots() {
        check(new Sqrt(), random(1001).abs().affine(1, 0.1));
        check(new Rsqrt(), random(1001).abs().affine(1, 0.1));
        check(new PowScalar(-1.5), random(1001).abs().affine(1, 0.1));
        HostComparison.assertOwnKernels("UnaryGrad");
    }

    @Test
    void gates() {
        check(new SwiGlu(), random(37, 111), random(37, 111));
        HostComparison.assertOwnKernels("SwiGlu", "SwiGlu.Grad");
    }

    @Test
    void turns() {
        Tensor each = Ops.indices(positions(3 * 17, 40)).reshape(3, 17);
        Tensor shared = Ops.indices(positions(17, 40));
        for (boolean inverse : new boolean[] {false, true}) {
            for (Tensor positions : new Tensor[] {each, shared}) {
                turn(inverse, random(3, 17, 5, 24), positions);
            }
        }
        HostComparison.assertOwnKernels("Rope");
    }

    /// The tables want no gradient here, as in all models.
    private static void turn(boolean inverse, Tensor x, Tensor positions) {
        Tensor cos = random(40, 12);
        Tensor sin = random(40, 12).mul(0.5);
        Tensor here = x.requireGrad();
        Tensor there = x.to(DEVICE).requireGrad();
        Tensor y = Tape.apply(new Rope(inverse), here, cos, sin, positions)[0];
        Tensor z =
                Tape.apply(
                        new Rope(inverse),
                        there,
                        cos.to(DEVICE),
                        sin.to(DEVICE),
                        positions.to(DEVICE))[0];
        HostComparison.compare("rope", z, y);
        HostComparison.compare(
                "gradient of rope",
                z.square().sum().backward().get(there),
                y.square().sum().backward().get(here));
    }

    @Test
    void turnsPartsOfAProduct() {
        Tensor x = random(2, 9, 7, 16);
        Tensor cos = random(9, 8);
        Tensor positions = Ops.indices(positions(9, 9));
        var op = new Rope(false);
        Tensor here = Tape.apply(op, x.narrow(2, 3, 2), cos, cos, positions)[0];
        Tensor there =
                Tape.apply(
                        op,
                        x.to(DEVICE).narrow(2, 3, 2),
                        cos.to(DEVICE),
                        cos.to(DEVICE),
                        positions.to(DEVICE))[0];
        HostComparison.compare("rope", there, here);
    }

    @Test
    void namesAPositionThatTheTableLacks() {
        Tensor x = random(1, 3, 1, 4).to(DEVICE);
        Tensor table = random(5, 2).to(DEVICE);
        Tensor positions = Ops.indices(new int[] {0, 5, 1}).to(DEVICE);
        assertThat(positions.dtype()).isEqualTo(DType.I32);
        assertThatThrownBy(() ->
                        Tape.apply(new Rope(false), x, table, table, positions)[0].toDoubles())
                .isInstanceOf(ShapeException.class);
    }

    private static int[] positions(int n, int bound) {
        int[] positions = new int[n];
        for (int i = 0; i < n; i++) {
            positions[i] = i * 7 % bound;
        }
        return positions;
    }
}
