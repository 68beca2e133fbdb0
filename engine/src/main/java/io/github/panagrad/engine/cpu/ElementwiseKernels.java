package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.Abs;
import io.github.panagrad.engine.op.Add;
import io.github.panagrad.engine.op.Affine;
import io.github.panagrad.engine.op.Clamp;
import io.github.panagrad.engine.op.Compare;
import io.github.panagrad.engine.op.Cos;
import io.github.panagrad.engine.op.Div;
import io.github.panagrad.engine.op.Dropout;
import io.github.panagrad.engine.op.Erf;
import io.github.panagrad.engine.op.Exp;
import io.github.panagrad.engine.op.Gelu;
import io.github.panagrad.engine.op.GeluTanh;
import io.github.panagrad.engine.op.LeakyRelu;
import io.github.panagrad.engine.op.Log;
import io.github.panagrad.engine.op.Logical;
import io.github.panagrad.engine.op.Maximum;
import io.github.panagrad.engine.op.Minimum;
import io.github.panagrad.engine.op.Mul;
import io.github.panagrad.engine.op.Pow;
import io.github.panagrad.engine.op.PowScalar;
import io.github.panagrad.engine.op.Relu;
import io.github.panagrad.engine.op.Rsqrt;
import io.github.panagrad.engine.op.Sigmoid;
import io.github.panagrad.engine.op.Sign;
import io.github.panagrad.engine.op.Silu;
import io.github.panagrad.engine.op.Sin;
import io.github.panagrad.engine.op.Softplus;
import io.github.panagrad.engine.op.Sqrt;
import io.github.panagrad.engine.op.StraightThrough;
import io.github.panagrad.engine.op.Sub;
import io.github.panagrad.engine.op.SwiGlu;
import io.github.panagrad.engine.op.Tanh;
import io.github.panagrad.engine.op.UnaryGrad;
import io.github.panagrad.engine.op.Where;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.function.ToDoubleFunction;

/// Which loop computes which elementwise op, and where an op's attributes go.
final class ElementwiseKernels {
    private ElementwiseKernels() {}

    static void register(KernelTable table) {
        table.add(Abs.class, new Loop<>(UnaryFn.ABSOLUTE), ElementwiseKernels::real);
        table.add(Cos.class, new Loop<>(UnaryFn.COS), ElementwiseKernels::real);
        table.add(Erf.class, new Loop<>(UnaryFn.ERF), ElementwiseKernels::real);
        table.add(Exp.class, new Loop<>(UnaryFn.EXP), ElementwiseKernels::real);
        table.add(Gelu.class, new Loop<>(UnaryFn.GELU), ElementwiseKernels::real);
        table.add(GeluTanh.class, new Loop<>(UnaryFn.GELU_TANH), ElementwiseKernels::real);
        table.add(Log.class, new Loop<>(UnaryFn.LOG), ElementwiseKernels::real);
        table.add(Relu.class, new Loop<>(UnaryFn.RELU), ElementwiseKernels::real);
        table.add(Rsqrt.class, new Loop<>(UnaryFn.RSQRT), ElementwiseKernels::real);
        table.add(Sigmoid.class, new Loop<>(UnaryFn.SIGMOID), ElementwiseKernels::real);
        table.add(Sign.class, new Loop<>(UnaryFn.SIGN), ElementwiseKernels::real);
        table.add(Silu.class, new Loop<>(UnaryFn.SILU), ElementwiseKernels::real);
        table.add(Sin.class, new Loop<>(UnaryFn.SIN), ElementwiseKernels::real);
        table.add(Softplus.class, new Loop<>(UnaryFn.SOFTPLUS), ElementwiseKernels::real);
        table.add(Sqrt.class, new Loop<>(UnaryFn.SQRT), ElementwiseKernels::real);
        table.add(Tanh.class, new Loop<>(UnaryFn.TANH), ElementwiseKernels::real);
        table.add(
                Affine.class,
                new Loop<>(UnaryFn.AFFINE, Affine::scale, Affine::shift),
                ElementwiseKernels::real);
        table.add(
                Clamp.class,
                new Loop<>(UnaryFn.CLAMP, Clamp::low, Clamp::high),
                ElementwiseKernels::real);
        table.add(
                LeakyRelu.class,
                new Loop<>(UnaryFn.LEAKY_RELU, LeakyRelu::slope, op -> 0),
                ElementwiseKernels::real);
        table.add(
                StraightThrough.class,
                new Loop<>(UnaryFn.STEP, StraightThrough::threshold, op -> 0),
                ElementwiseKernels::real);
        table.add(PowScalar.class, new Power(), ElementwiseKernels::real);

        table.addGradient(Abs.class, new Gradient(BinaryFn.ABSOLUTE_GRAD));
        table.addGradient(Cos.class, new Gradient(BinaryFn.COS_GRAD));
        table.addGradient(Erf.class, new Gradient(BinaryFn.ERF_GRAD));
        table.addGradient(Gelu.class, new Gradient(BinaryFn.GELU_GRAD));
        table.addGradient(GeluTanh.class, new Gradient(BinaryFn.GELU_TANH_GRAD));
        table.addGradient(Relu.class, new Gradient(BinaryFn.RELU_GRAD));
        table.addGradient(Rsqrt.class, new Gradient(BinaryFn.RSQRT_GRAD_OF_RESULT));
        table.addGradient(Sigmoid.class, new Gradient(BinaryFn.SIGMOID_GRAD_OF_RESULT));
        table.addGradient(Silu.class, new Gradient(BinaryFn.SILU_GRAD));
        table.addGradient(Sin.class, new Gradient(BinaryFn.SIN_GRAD));
        table.addGradient(Softplus.class, new Gradient(BinaryFn.SOFTPLUS_GRAD));
        table.addGradient(Sqrt.class, new Gradient(BinaryFn.SQRT_GRAD_OF_RESULT));
        table.addGradient(Tanh.class, new Gradient(BinaryFn.TANH_GRAD_OF_RESULT));
        table.addGradient(Clamp.class, new Gradient(BinaryFn.CLAMP_GRAD));
        table.addGradient(LeakyRelu.class, new Gradient(BinaryFn.LEAKY_RELU_GRAD));

        table.add(Add.class, new Loop2<>(BinaryFn.ADD), ElementwiseKernels::real);
        table.add(Sub.class, new Loop2<>(BinaryFn.SUB), ElementwiseKernels::real);
        table.add(Mul.class, new Loop2<>(BinaryFn.MUL), ElementwiseKernels::real);
        table.add(Div.class, new Loop2<>(BinaryFn.DIV), ElementwiseKernels::real);
        table.add(Minimum.class, new Loop2<>(BinaryFn.MIN), ElementwiseKernels::real);
        table.add(Maximum.class, new Loop2<>(BinaryFn.MAX), ElementwiseKernels::real);
        table.add(SwiGlu.class, new Loop2<>(BinaryFn.SWIGLU), ElementwiseKernels::real);
        table.add(Pow.class, new Power2(), ElementwiseKernels::real);
        table.add(Compare.class, new Comparison(), ElementwiseKernels::real);
        table.add(Logical.class, new Connective());
        table.add(Where.class, new Choice(), in -> real(in[1]) && real(in[2]));
        table.add(Dropout.class, new Dropping(), ElementwiseKernels::real);
        table.add(SwiGlu.Grad.class, new GateGradients(), ElementwiseKernels::real);
    }

    /// Tells whether all operands are, or widen to, F32.
    static boolean real(View[] in) {
        for (View view : in) {
            if (!real(view)) {
                return false;
            }
        }
        return true;
    }

    private static boolean real(View view) {
        return view.dtype().widened() == DType.F32;
    }

    /// Copies a strided operand to where the result goes, unless it is contiguous already.
    ///
    /// @return where the operand is to be read: its own array, or the result's
    private static View settled(View in, View out) {
        if (in.isContiguous()) {
            return in;
        }
        StridedCopy.copy(
                Lines.walk(out.shape(), in), in.floats(), in.offset(), out.floats(), out.offset());
        return out;
    }

    /// An elementwise op of one operand.
    private record Loop<O>(UnaryFn fn, ToDoubleFunction<O> p, ToDoubleFunction<O> q)
            implements Kernel<O> {
        Loop(UnaryFn fn) {
            this(fn, op -> 0, op -> 0);
        }

        @Override
        public boolean acceptsStrides(int i) {
            return true;
        }

        @Override
        public void run(O op, View[] in, View[] out) {
            View x = settled(in[0], out[0]);
            Elementwise.unary(
                    fn,
                    (float) p.applyAsDouble(op),
                    (float) q.applyAsDouble(op),
                    x.floats(),
                    x.offset(),
                    out[0].floats(),
                    out[0].offset(),
                    out[0].size());
        }
    }

    /// An elementwise op of two operands, broadcast.
    private record Loop2<O>(BinaryFn fn) implements Kernel<O> {
        @Override
        public boolean acceptsStrides(int i) {
            return true;
        }

        @Override
        public void run(O op, View[] in, View[] out) {
            binary(fn, 0, 0, in[0], in[1], out[0]);
        }
    }

    private static void binary(BinaryFn fn, double p, double q, View a, View b, View y) {
        Elementwise.binary(
                fn,
                (float) p,
                (float) q,
                Lines.walk(y.shape(), a, b),
                a.floats(),
                a.offset(),
                b.floats(),
                b.offset(),
                y.floats(),
                y.offset());
    }

    /// The gradient of an elementwise op of one operand.
    private record Gradient(BinaryFn fn) implements Kernel<UnaryGrad> {
        @Override
        public boolean acceptsStrides(int i) {
            return true;
        }

        @Override
        public void run(UnaryGrad op, View[] in, View[] out) {
            double p = 0;
            double q = 0;
            if (op.of() instanceof Clamp clamp) {
                p = clamp.low();
                q = clamp.high();
            } else if (op.of() instanceof LeakyRelu leaky) {
                p = leaky.slope();
            }
            binary(fn, p, q, in[0], in[1], out[0]);
        }
    }

    private static final class Power implements Kernel<PowScalar> {
        @Override
        public void run(PowScalar op, View[] in, View[] out) {
            Elementwise.pow(
                    in[0].floats(),
                    in[0].offset(),
                    op.exponent(),
                    out[0].floats(),
                    out[0].offset(),
                    out[0].size());
        }
    }

    private static final class Power2 implements Kernel<Pow> {
        @Override
        public boolean acceptsStrides(int i) {
            return true;
        }

        @Override
        public void run(Pow op, View[] in, View[] out) {
            Elementwise.pow(
                    Lines.walk(out[0].shape(), in),
                    in[0].floats(),
                    in[0].offset(),
                    in[1].floats(),
                    in[1].offset(),
                    out[0].floats(),
                    out[0].offset());
        }
    }

    private static final class Comparison implements Kernel<Compare> {
        @Override
        public boolean acceptsStrides(int i) {
            return true;
        }

        @Override
        public void run(Compare op, View[] in, View[] out) {
            RelationFn fn =
                    switch (op.how()) {
                        case EQ -> RelationFn.EQUAL;
                        case NE -> RelationFn.NOT_EQUAL;
                        case LT -> RelationFn.LESS;
                        case LE -> RelationFn.LESS_EQUAL;
                        case GT -> RelationFn.GREATER;
                        case GE -> RelationFn.GREATER_EQUAL;
                    };
            Elementwise.relation(
                    fn,
                    Lines.walk(out[0].shape(), in),
                    in[0].floats(),
                    in[0].offset(),
                    in[1].floats(),
                    in[1].offset(),
                    out[0].bytes(),
                    out[0].offset());
        }
    }

    /// Plain loops: masks are small beside what they mask.
    private static final class Connective implements Kernel<Logical> {
        @Override
        public boolean acceptsStrides(int i) {
            return true;
        }

        @Override
        public void run(Logical op, View[] in, View[] out) {
            byte[] a = in[0].bytes();
            byte[] b = in[1].bytes();
            byte[] y = out[0].bytes();
            StridedWalk walk = Lines.walk(out[0].shape(), in);
            int left = walk.innerStride(0);
            int right = walk.innerStride(1);
            walk.runs(
                    0,
                    walk.size(),
                    (at, n, starts) -> {
                        int i = in[0].offset() + starts[0];
                        int j = in[1].offset() + starts[1];
                        int k = out[0].offset() + at;
                        for (int e = 0; e < n; e++, i += left, j += right, k++) {
                            y[k] =
                                    switch (op.how()) {
                                        case AND -> (byte) (a[i] & b[j]);
                                        case OR -> (byte) (a[i] | b[j]);
                                        case XOR -> (byte) (a[i] ^ b[j]);
                                    };
                        }
                    });
        }
    }

    private static final class Choice implements Kernel<Where> {
        @Override
        public boolean acceptsStrides(int i) {
            return true;
        }

        @Override
        public void run(Where op, View[] in, View[] out) {
            Elementwise.where(
                    Lines.walk(out[0].shape(), in),
                    in[0].bytes(),
                    in[0].offset(),
                    in[1].floats(),
                    in[1].offset(),
                    in[2].floats(),
                    in[2].offset(),
                    out[0].floats(),
                    out[0].offset());
        }
    }

    private static final class Dropping implements Kernel<Dropout> {
        @Override
        public void run(Dropout op, View[] in, View[] out) {
            DropoutLoop.run(
                    op.draw(),
                    op.p(),
                    0,
                    in[0].floats(),
                    in[0].offset(),
                    out[0].floats(),
                    out[0].offset(),
                    out[0].size());
        }
    }

    private static final class GateGradients implements Kernel<SwiGlu.Grad> {
        @Override
        public void run(SwiGlu.Grad op, View[] in, View[] out) {
            View dGate = op.dGate() ? out[0] : null;
            View dUp = op.dUp() ? out[out.length - 1] : null;
            SwigluRows.backward(
                    in[0].floats(),
                    in[0].offset(),
                    in[1].floats(),
                    in[1].offset(),
                    in[2].floats(),
                    in[2].offset(),
                    dGate == null ? null : dGate.floats(),
                    dGate == null ? 0 : dGate.offset(),
                    dUp == null ? null : dUp.floats(),
                    dUp == null ? 0 : dUp.offset(),
                    in[0].size());
        }
    }
}
