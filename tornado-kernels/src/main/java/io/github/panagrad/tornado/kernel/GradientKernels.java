package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.op.Abs;
import io.github.panagrad.engine.op.Clamp;
import io.github.panagrad.engine.op.Cos;
import io.github.panagrad.engine.op.Erf;
import io.github.panagrad.engine.op.Gelu;
import io.github.panagrad.engine.op.GeluTanh;
import io.github.panagrad.engine.op.LeakyRelu;
import io.github.panagrad.engine.op.PowScalar;
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
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import java.util.function.ToDoubleFunction;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Gradients of elementwise functions of one operand, one program with a switch.
///
/// Those that are one plain op anyway, as that of the exponential, are left to it.
final class GradientKernels {
    private static final int LOCAL = 64;

    private static final int ABS = 0;
    private static final int CLAMP = 1;
    private static final int COS = 2;
    private static final int ERF = 3;
    private static final int GELU = 4;
    private static final int GELU_TANH = 5;
    private static final int LEAKY_RELU = 6;
    private static final int POW = 7;
    private static final int RELU = 8;
    private static final int RSQRT_OF_RESULT = 9;
    private static final int SIGMOID_OF_RESULT = 10;
    private static final int SILU = 11;
    private static final int SIN = 12;
    private static final int SOFTPLUS = 13;
    private static final int SQRT_OF_RESULT = 14;
    private static final int TANH_OF_RESULT = 15;

    private final Program gradient;

    GradientKernels(Programs programs) {
        gradient = programs.add("unaryGrad", LOCAL, GradientKernels::kUnaryGrad);
    }

    void register(KernelTable table) {
        add(table, Abs.class, ABS);
        add(table, Clamp.class, CLAMP, Clamp::low, Clamp::high);
        add(table, Cos.class, COS);
        add(table, Erf.class, ERF);
        add(table, Gelu.class, GELU);
        add(table, GeluTanh.class, GELU_TANH);
        add(table, LeakyRelu.class, LEAKY_RELU, LeakyRelu::slope, op -> 0);
        add(table, PowScalar.class, POW, PowScalar::exponent, op -> op.exponent() - 1);
        add(table, Relu.class, RELU);
        add(table, Rsqrt.class, RSQRT_OF_RESULT);
        add(table, Sigmoid.class, SIGMOID_OF_RESULT);
        add(table, Silu.class, SILU);
        add(table, Sin.class, SIN);
        add(table, Softplus.class, SOFTPLUS);
        add(table, Sqrt.class, SQRT_OF_RESULT);
        add(table, Tanh.class, TANH_OF_RESULT);
    }

    private void add(KernelTable table, Class<? extends Unary> of, int function) {
        add(table, of, function, o -> 0, o -> 0);
    }

    private <O extends Unary> void add(
            KernelTable table,
            Class<O> of,
            int function,
            ToDoubleFunction<? super O> first,
            ToDoubleFunction<? super O> second) {
        table.addGradient(
                of,
                (UnaryGrad op, View[] in, View[] out) -> {
                    O unary = of.cast(op.of());
                    int n = out[0].size();
                    gradient.launch(
                            n,
                            new int[] {
                                n, Places.at(in[0]), Places.at(in[1]), Places.at(out[0]), function
                            },
                            (float) first.applyAsDouble(unary),
                            (float) second.applyAsDouble(unary));
                });
    }

    // p: n, x (y for those of the result), dy, dx, function; r: the function's parameters

    private static void kUnaryGrad(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float x = f.get(p.get(1) + i);
            float d = f.get(p.get(2) + i);
            float first = r.get(0);
            float second = r.get(1);
            float y = d;
            switch (p.get(4)) {
                case ABS -> {
                    if (x < 0f) {
                        y = -d;
                    }
                    if (x == 0f) {
                        y = 0f;
                    }
                }
                case CLAMP -> {
                    if (x < first) {
                        y = 0f;
                    }
                    if (x > second) {
                        y = 0f;
                    }
                }
                case COS -> y = -d * TornadoMath.sin(x);
                case ERF -> y = d * 1.1283791671f * TornadoMath.exp(-x * x);
                case GELU -> y = d * (DeviceMath.normalCdf(x) + x * DeviceMath.normalDensity(x));
                case GELU_TANH -> {
                    float open = DeviceMath.sigmoid(DeviceMath.geluGate(x));
                    y = d * (open + x * open * (1f - open) * DeviceMath.geluGateSlope(x));
                }
                case LEAKY_RELU -> {
                    if (x <= 0f) {
                        y = first * d;
                    }
                }
                case POW -> {
                    y = d * first * TornadoMath.pow(x, second);
                    // A constant: its derivative must not meet the pole of x⁻¹.
                    if (first == 0f) {
                        y = 0f * d;
                    }
                }
                case RELU -> {
                    if (x <= 0f) {
                        y = 0f;
                    }
                }
                case RSQRT_OF_RESULT -> y = -0.5f * d * x * x * x;
                case SIGMOID_OF_RESULT -> y = d * (1f - x) * x;
                case SILU -> {
                    float open = DeviceMath.sigmoid(x);
                    y = d * open * (1f + x * (1f - open));
                }
                case SIN -> y = d * TornadoMath.cos(x);
                case SOFTPLUS -> y = d * DeviceMath.sigmoid(x);
                case SQRT_OF_RESULT -> y = 0.5f * d / x;
                default -> y = d * (1f - x * x);
            }
            f.set(p.get(3) + i, y);
        }
    }
}
