package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.op.Abs;
import io.github.panagrad.engine.op.Affine;
import io.github.panagrad.engine.op.Clamp;
import io.github.panagrad.engine.op.Cos;
import io.github.panagrad.engine.op.Erf;
import io.github.panagrad.engine.op.Exp;
import io.github.panagrad.engine.op.Gelu;
import io.github.panagrad.engine.op.GeluTanh;
import io.github.panagrad.engine.op.LeakyRelu;
import io.github.panagrad.engine.op.Log;
import io.github.panagrad.engine.op.PowScalar;
import io.github.panagrad.engine.op.Relu;
import io.github.panagrad.engine.op.Rsqrt;
import io.github.panagrad.engine.op.Sigmoid;
import io.github.panagrad.engine.op.Sign;
import io.github.panagrad.engine.op.Silu;
import io.github.panagrad.engine.op.Sin;
import io.github.panagrad.engine.op.Softplus;
import io.github.panagrad.engine.op.Sqrt;
import io.github.panagrad.engine.op.Tanh;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import java.util.function.ToDoubleFunction;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Elementwise functions of one operand: one program with a switch, for compiling forty takes longer
/// than a launch ever will.
final class UnaryKernels {
    private static final int LOCAL = 64;

    private static final int ABS = 0;
    private static final int AFFINE = 1;
    private static final int CLAMP = 2;
    private static final int COS = 3;
    private static final int ERF = 4;
    private static final int EXP = 5;
    private static final int GELU = 6;
    private static final int GELU_TANH = 7;
    private static final int LEAKY_RELU = 8;
    private static final int LOG = 9;
    private static final int POW = 10;
    private static final int RELU = 11;
    private static final int RSQRT = 12;
    private static final int SIGMOID = 13;
    private static final int SIGN = 14;
    private static final int SILU = 15;
    private static final int SIN = 16;
    private static final int SOFTPLUS = 17;
    private static final int SQRT = 18;
    private static final int TANH = 19;

    private final Program unary;

    UnaryKernels(Programs programs) {
        unary = programs.add("unary", LOCAL, UnaryKernels::kUnary);
    }

    void register(KernelTable table) {
        add(table, Abs.class, ABS);
        add(table, Affine.class, AFFINE, Affine::scale, Affine::shift);
        add(table, Clamp.class, CLAMP, Clamp::low, Clamp::high);
        add(table, Cos.class, COS);
        add(table, Erf.class, ERF);
        add(table, Exp.class, EXP);
        add(table, Gelu.class, GELU);
        add(table, GeluTanh.class, GELU_TANH);
        add(table, LeakyRelu.class, LEAKY_RELU, LeakyRelu::slope, op -> 0);
        add(table, Log.class, LOG);
        add(table, PowScalar.class, POW, PowScalar::exponent, op -> 0);
        add(table, Relu.class, RELU);
        add(table, Rsqrt.class, RSQRT);
        add(table, Sigmoid.class, SIGMOID);
        add(table, Sign.class, SIGN);
        add(table, Silu.class, SILU);
        add(table, Sin.class, SIN);
        add(table, Softplus.class, SOFTPLUS);
        add(table, Sqrt.class, SQRT);
        add(table, Tanh.class, TANH);
    }

    private <O> void add(KernelTable table, Class<O> op, int function) {
        add(table, op, function, o -> 0, o -> 0);
    }

    private <O> void add(
            KernelTable table,
            Class<O> op,
            int function,
            ToDoubleFunction<O> first,
            ToDoubleFunction<O> second) {
        table.add(
                op,
                new Function<>(unary, function, first, second),
                (o, in) -> KernelTable.floats(in));
    }

    private record Function<O>(
            Program program, int number, ToDoubleFunction<O> first, ToDoubleFunction<O> second)
            implements Kernel<O> {
        @Override
        public void run(O op, View[] in, View[] out) {
            int n = out[0].size();
            program.launch(
                    n,
                    new int[] {n, Places.at(in[0]), Places.at(out[0]), number},
                    (float) first.applyAsDouble(op),
                    (float) second.applyAsDouble(op));
        }
    }

    // p: n, from, to, function; r: the function's parameters

    private static void kUnary(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float x = f.get(p.get(1) + i);
            float first = r.get(0);
            float second = r.get(1);
            float y = x;
            switch (p.get(3)) {
                case ABS -> y = TornadoMath.abs(x);
                case AFFINE -> y = first * x + second;
                case CLAMP -> {
                    if (x < first) {
                        y = first;
                    }
                    if (x > second) {
                        y = second;
                    }
                }
                case COS -> y = TornadoMath.cos(x);
                case ERF -> y = DeviceMath.erf(x);
                case EXP -> y = TornadoMath.exp(x);
                case GELU -> y = x * DeviceMath.normalCdf(x);
                case GELU_TANH -> y = x * DeviceMath.sigmoid(DeviceMath.geluGate(x));
                case LEAKY_RELU -> {
                    if (x < 0f) {
                        y = first * x;
                    }
                }
                case LOG -> y = TornadoMath.log(x);
                case POW -> y = TornadoMath.pow(x, first);
                case RELU -> {
                    if (x < 0f) {
                        y = 0f;
                    }
                }
                case RSQRT -> y = 1f / TornadoMath.sqrt(x);
                case SIGMOID -> y = DeviceMath.sigmoid(x);
                case SIGN -> {
                    if (x > 0f) {
                        y = 1f;
                    }
                    if (x < 0f) {
                        y = -1f;
                    }
                }
                case SILU -> y = x * DeviceMath.sigmoid(x);
                case SIN -> y = TornadoMath.sin(x);
                case SOFTPLUS -> y = DeviceMath.softplus(x);
                case SQRT -> y = TornadoMath.sqrt(x);
                default -> y = TornadoMath.tanh(x);
            }
            f.set(p.get(2) + i, y);
        }
    }
}
