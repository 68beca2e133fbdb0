package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.Abs;
import io.github.panagrad.engine.op.Add;
import io.github.panagrad.engine.op.Affine;
import io.github.panagrad.engine.op.Clamp;
import io.github.panagrad.engine.op.Compare;
import io.github.panagrad.engine.op.Cos;
import io.github.panagrad.engine.op.Div;
import io.github.panagrad.engine.op.Erf;
import io.github.panagrad.engine.op.Exp;
import io.github.panagrad.engine.op.Log;
import io.github.panagrad.engine.op.Logical;
import io.github.panagrad.engine.op.MatMul;
import io.github.panagrad.engine.op.Maximum;
import io.github.panagrad.engine.op.Minimum;
import io.github.panagrad.engine.op.Mul;
import io.github.panagrad.engine.op.Pow;
import io.github.panagrad.engine.op.PowScalar;
import io.github.panagrad.engine.op.Relu;
import io.github.panagrad.engine.op.Rsqrt;
import io.github.panagrad.engine.op.Sigmoid;
import io.github.panagrad.engine.op.Sign;
import io.github.panagrad.engine.op.Sin;
import io.github.panagrad.engine.op.Softplus;
import io.github.panagrad.engine.op.Sqrt;
import io.github.panagrad.engine.op.Sub;
import io.github.panagrad.engine.op.Tanh;
import io.github.panagrad.engine.tape.Tape;

/// The methods of [Tensor] that compute element by element, and the matrix product.
///
/// Two operands broadcast by NumPy's rules.
public abstract sealed class TensorMath extends TensorShapes permits Tensor {
    TensorMath() {}

    // Arithmetic

    /// Adds elementwise. Shapes: broadcast.
    public Tensor add(Tensor other) {
        return Tape.one(new Add(), self(), other);
    }

    /// Adds a number.
    public Tensor add(double number) {
        return affine(1, number);
    }

    /// Subtracts elementwise. Shapes: broadcast.
    public Tensor sub(Tensor other) {
        return Tape.one(new Sub(), self(), other);
    }

    /// Subtracts a number.
    public Tensor sub(double number) {
        return affine(1, -number);
    }

    /// Multiplies elementwise. Shapes: broadcast.
    public Tensor mul(Tensor other) {
        return Tape.one(new Mul(), self(), other);
    }

    /// Multiplies by a number.
    public Tensor mul(double number) {
        return affine(number, 0);
    }

    /// Divides elementwise. Shapes: broadcast.
    public Tensor div(Tensor other) {
        return Tape.one(new Div(), self(), other);
    }

    /// Divides by a number.
    public Tensor div(double number) {
        return affine(1 / number, 0);
    }

    /// Raises to a power elementwise. Shapes: broadcast.
    public Tensor pow(Tensor other) {
        return Tape.one(new Pow(), self(), other);
    }

    /// Raises to a constant power.
    public Tensor pow(double number) {
        return Tape.one(new PowScalar(number), self());
    }

    /// Computes `scale·x + shift` in one pass.
    public Tensor affine(double scale, double shift) {
        return Tape.one(new Affine(scale, shift), self());
    }

    /// Changes the sign.
    public Tensor neg() {
        return affine(-1, 0);
    }

    /// Squares.
    public Tensor square() {
        return mul(self());
    }

    /// Takes the reciprocal, 1/x.
    public Tensor reciprocal() {
        return pow(-1);
    }

    /// Takes the greater of two. Shapes: broadcast.
    public Tensor maximum(Tensor other) {
        return Tape.one(new Maximum(), self(), other);
    }

    /// Takes the lesser of two. Shapes: broadcast.
    public Tensor minimum(Tensor other) {
        return Tape.one(new Minimum(), self(), other);
    }

    /// Limits to a range; the gradient is 0 outside of it.
    public Tensor clamp(double low, double high) {
        return Tape.one(new Clamp(low, high), self());
    }

    /// Multiplies matrices over the last two dimensions; leading ones broadcast.
    ///
    /// Shapes: (…, M, K) · (…, K, N) → (…, M, N).
    public Tensor matmul(Tensor other) {
        return Tape.one(new MatMul(), self(), other);
    }

    // Functions of one operand

    /// Takes the exponential, eˣ.
    public Tensor exp() {
        return Tape.one(new Exp(), self());
    }

    /// Takes the natural logarithm.
    public Tensor log() {
        return Tape.one(new Log(), self());
    }

    /// Takes the square root.
    public Tensor sqrt() {
        return Tape.one(new Sqrt(), self());
    }

    /// Takes the reciprocal square root, 1/√x.
    public Tensor rsqrt() {
        return Tape.one(new Rsqrt(), self());
    }

    /// Takes the absolute value.
    public Tensor abs() {
        return Tape.one(new Abs(), self());
    }

    /// Takes the sign: −1, 0 or 1.
    public Tensor sign() {
        return Tape.one(new Sign(), self());
    }

    /// Takes the hyperbolic tangent.
    public Tensor tanh() {
        return Tape.one(new Tanh(), self());
    }

    /// Applies the logistic function, 1/(1+e⁻ˣ).
    public Tensor sigmoid() {
        return Tape.one(new Sigmoid(), self());
    }

    /// Keeps what is positive, max(x, 0).
    public Tensor relu() {
        return Tape.one(new Relu(), self());
    }

    /// Applies softplus, ln(1+eˣ).
    public Tensor softplus() {
        return Tape.one(new Softplus(), self());
    }

    /// Applies the error function.
    public Tensor erf() {
        return Tape.one(new Erf(), self());
    }

    /// Takes the sine of radians.
    public Tensor sin() {
        return Tape.one(new Sin(), self());
    }

    /// Takes the cosine of radians.
    public Tensor cos() {
        return Tape.one(new Cos(), self());
    }

    // Comparisons and logic: BOOL

    /// Tells where this is equal. Shapes: broadcast → BOOL.
    public Tensor eq(Tensor other) {
        return Tape.one(new Compare(Compare.How.EQ), self(), other);
    }

    /// Tells where this is equal to a number. Shapes: (*) → BOOL.
    public Tensor eq(double number) {
        return eq(constant(number));
    }

    /// Tells where this is different. Shapes: broadcast → BOOL.
    public Tensor ne(Tensor other) {
        return Tape.one(new Compare(Compare.How.NE), self(), other);
    }

    /// Tells where this is different from a number. Shapes: (*) → BOOL.
    public Tensor ne(double number) {
        return ne(constant(number));
    }

    /// Tells where this is less. Shapes: broadcast → BOOL.
    public Tensor lt(Tensor other) {
        return Tape.one(new Compare(Compare.How.LT), self(), other);
    }

    /// Tells where this is less than a number. Shapes: (*) → BOOL.
    public Tensor lt(double number) {
        return lt(constant(number));
    }

    /// Tells where this is less or equal. Shapes: broadcast → BOOL.
    public Tensor le(Tensor other) {
        return Tape.one(new Compare(Compare.How.LE), self(), other);
    }

    /// Tells where this is less than or equal to a number. Shapes: (*) → BOOL.
    public Tensor le(double number) {
        return le(constant(number));
    }

    /// Tells where this is greater. Shapes: broadcast → BOOL.
    public Tensor gt(Tensor other) {
        return Tape.one(new Compare(Compare.How.GT), self(), other);
    }

    /// Tells where this is greater than a number. Shapes: (*) → BOOL.
    public Tensor gt(double number) {
        return gt(constant(number));
    }

    /// Tells where this is greater or equal. Shapes: broadcast → BOOL.
    public Tensor ge(Tensor other) {
        return Tape.one(new Compare(Compare.How.GE), self(), other);
    }

    /// Tells where this is greater than or equal to a number. Shapes: (*) → BOOL.
    public Tensor ge(double number) {
        return ge(constant(number));
    }

    /// Tells where both are true. Shapes: BOOL, broadcast.
    public Tensor logicalAnd(Tensor other) {
        return Tape.one(new Logical(Logical.How.AND), self(), other);
    }

    /// Tells where at least one is true. Shapes: BOOL, broadcast.
    public Tensor logicalOr(Tensor other) {
        return Tape.one(new Logical(Logical.How.OR), self(), other);
    }

    /// Tells where exactly one is true. Shapes: BOOL, broadcast.
    public Tensor logicalXor(Tensor other) {
        return Tape.one(new Logical(Logical.How.XOR), self(), other);
    }

    /// Swaps true and false.
    public Tensor logicalNot() {
        return logicalXor(constant(1));
    }

    private Tensor constant(double number) {
        DType dtype = self().dtype().widened();
        if (!dtype.isFloating() && number != Math.rint(number)) {
            throw new ShapeException(
                    "compare",
                    "the number is none of the operand's type",
                    number + " for " + self().spec(),
                    "an integer",
                    "convert with to(DType.F32)");
        }
        return Ops.full(dtype, Shape.SCALAR, number).to(self().device());
    }
}
