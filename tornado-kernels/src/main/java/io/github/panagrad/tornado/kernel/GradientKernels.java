package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.op.Abs;
import io.github.panagrad.engine.op.Clamp;
import io.github.panagrad.engine.op.Cos;
import io.github.panagrad.engine.op.Erf;
import io.github.panagrad.engine.op.Gelu;
import io.github.panagrad.engine.op.GeluTanh;
import io.github.panagrad.engine.op.LeakyRelu;
import io.github.panagrad.engine.op.Relu;
import io.github.panagrad.engine.op.Rsqrt;
import io.github.panagrad.engine.op.Sigmoid;
import io.github.panagrad.engine.op.Silu;
import io.github.panagrad.engine.op.Sin;
import io.github.panagrad.engine.op.Softplus;
import io.github.panagrad.engine.op.Sqrt;
import io.github.panagrad.engine.op.Tanh;
import io.github.panagrad.engine.op.Unary;
import io.github.panagrad.engine.op.UnaryGrad;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Gradients of elementwise functions of one operand in one pass: one program with a switch, as in
/// [UnaryKernels]. Functions whose gradient is one op of others have none here.
final class GradientKernels {
    private static final int LOCAL = 64;

    private static final int ABS = 0;
    private static final int CLAMP = 1;
    private static final int COS = 2;
    private static final int ERF = 3;
    private static final int GELU = 4;
    private static final int GELU_TANH = 5;
    private static final int LEAKY_RELU = 6;
    private static final int RELU = 7;
    private static final int RSQRT = 8;
    private static final int SIGMOID = 9;
    private static final int SILU = 10;
    private static final int SIN = 11;
    private static final int SOFTPLUS = 12;
    private static final int SQRT = 13;
    private static final int TANH = 14;

    private final Program gradient;

    GradientKernels(Programs programs) {
        gradient = programs.add("unaryGradient", LOCAL, GradientKernels::kGradient);
    }

    void register(KernelTable table) {
        add(table, Abs.class, ABS);
        add(table, Clamp.class, CLAMP);
        add(table, Cos.class, COS);
        add(table, Erf.class, ERF);
        add(table, Gelu.class, GELU);
        add(table, GeluTanh.class, GELU_TANH);
        add(table, LeakyRelu.class, LEAKY_RELU);
        add(table, Relu.class, RELU);
        add(table, Rsqrt.class, RSQRT);
        add(table, Sigmoid.class, SIGMOID);
        add(table, Silu.class, SILU);
        add(table, Sin.class, SIN);
        add(table, Softplus.class, SOFTPLUS);
        add(table, Sqrt.class, SQRT);
        add(table, Tanh.class, TANH);
    }

    private void add(KernelTable table, Class<? extends Unary> of, int function) {
        table.addGradient(of, new Gradient(gradient, function));
    }

    private record Gradient(Program program, int function) implements Kernel<UnaryGrad> {
        @Override
        public void run(UnaryGrad op, View[] in, View[] out) {
            int n = out[0].size();
            float first = 0;
            float second = 0;
            if (op.of() instanceof Clamp clamp) {
                first = (float) clamp.low();
                second = (float) clamp.high();
            } else if (op.of() instanceof LeakyRelu leaky) {
                first = (float) leaky.slope();
            }
            int[] numbers = {n, Places.at(in[0]), Places.at(in[1]), Places.at(out[0]), function};
            program.launch(n, numbers, first, second);
        }
    }

    // p: n, x (or y, where the op uses its result), dy, dx, function; r: the function's parameters

    private static void kGradient(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float x = f.get(p.get(1) + i);
            float d = f.get(p.get(2) + i);
            float first = r.get(0);
            float second = r.get(1);
            float g = d;
            switch (p.get(4)) {
                case ABS -> {
                    if (x < 0f) {
                        g = -d;
                    }
                    if (x == 0f) {
                        g = 0f;
                    }
                }
                case CLAMP -> {
                    if (x < first) {
                        g = 0f;
                    }
                    if (x > second) {
                        g = 0f;
                    }
                }
                case COS -> g = -d * TornadoMath.sin(x);
                case ERF -> g = d * 1.1283791671f * TornadoMath.exp(-x * x);
                case GELU -> g = d * (DeviceMath.normalCdf(x) + x * DeviceMath.normalDensity(x));
                case GELU_TANH -> {
                    float share = DeviceMath.sigmoid(DeviceMath.geluGate(x));
                    g = d * (share + x * share * (1f - share) * DeviceMath.geluGateSlope(x));
                }
                case LEAKY_RELU -> {
                    if (x <= 0f) {
                        g = first * d;
                    }
                }
                case RELU -> {
                    if (x <= 0f) {
                        g = 0f;
                    }
                }
                case RSQRT -> g = -0.5f * d * x * x * x;
                case SIGMOID -> g = d * x * (1f - x);
                case SILU -> {
                    float share = DeviceMath.sigmoid(x);
                    g = d * share * (1f + x * (1f - share));
                }
                case SIN -> g = d * TornadoMath.cos(x);
                case SOFTPLUS -> g = d * DeviceMath.sigmoid(x);
                case SQRT -> g = 0.5f * d / x;
                default -> g = d * (1f - x * x);
            }
            f.set(p.get(3) + i, g);
        }
    }
}
