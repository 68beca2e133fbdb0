package io.github.panagrad.engine;

import static io.github.panagrad.engine.Ops.concat;
import static io.github.panagrad.engine.Ops.embedding;
import static io.github.panagrad.engine.Ops.grad;
import static io.github.panagrad.engine.Ops.indices;
import static io.github.panagrad.engine.Ops.mask;
import static io.github.panagrad.engine.Ops.ones;
import static io.github.panagrad.engine.Ops.parameter;
import static io.github.panagrad.engine.Ops.stack;
import static io.github.panagrad.engine.Ops.tensor;
import static io.github.panagrad.engine.Ops.where;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// Errors are one line: what failed, what it got, what it expected, how to mend it.
class ErrorsTest {
    private static void fails(ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOf(PanagradException.class).hasMessage(message);
    }

    @Test
    void matmul() {
        fails(
                () -> ones(8, 16).matmul(ones(32, 16)),
                "matMul: inner dimensions differ; got a f32[8,16] · b f32[32,16]; expected a[-1] =="
                        + " b[-2]; did you mean b.transpose()?");
        fails(
                () -> ones(8, 16).matmul(ones(16)),
                "matMul: needs matrices; got f32[8,16] · f32[16]; expected at least two dimensions"
                        + " each");
        fails(
                () -> ones(2, 3, 4).matmul(ones(5, 4, 3)),
                "matMul: shapes do not broadcast; got [2] and [5]; expected extents that are equal or"
                        + " 1, counted from the last");
    }

    @Test
    void dtypesThatDoNotMix() {
        fails(
                () -> ones(2).add(ones(DType.F64, Shape.of(2))),
                "add: dtypes differ; got f32[2] and f64[2]; expected one dtype; convert one of them"
                        + " with to(DType)");
        fails(
                () -> ones(2).mul(indices(new int[] {1, 2})),
                "mul: dtypes differ; got f32[2] and i32[2]; expected one dtype; convert one of them"
                        + " with to(DType)");
    }

    @Test
    void realFunctionsOfIntegers() {
        Tensor integers = indices(new int[] {1, 2, 3});
        String hint = "; got i32[3]; expected f32 or f64; convert with to(DType.F32)";
        fails(integers::exp, "exp: not for integers" + hint);
        fails(() -> integers.mul(0.5), "affine: not for integers" + hint);
        fails(
                integers::mean,
                "affine: not for integers; got i32[]; expected f32 or f64; convert with"
                        + " to(DType.F32)");
        fails(() -> integers.div(integers), "div: not for integers" + hint);
        fails(
                () -> integers.lt(0.5),
                "compare: the number is none of the operand's type; got 0.5 for i32[3]; expected an"
                        + " integer; convert with to(DType.F32)");
        assertThat(integers.mul(2).add(1).abs().toInts()).containsExactly(3, 5, 7);
        assertThat(integers.mul(integers).toInts()).containsExactly(1, 4, 9);
        assertThat(integers.sum().item()).isEqualTo(6);
    }

    @Test
    void arithmeticOnTruthValues() {
        Tensor truth = mask(new boolean[] {true, true, false});
        fails(
                () -> truth.add(truth),
                "add: not for truth values; got bool[3] and bool[3]; expected numbers; use"
                        + " logicalAnd and the like, or convert with to(DType.F32)");
        fails(
                truth::neg,
                "affine: not for truth values; got bool[3]; expected f32 or f64; convert with"
                        + " to(DType.F32)");
        assertThat(truth.sum().item()).as("counts what is true").isEqualTo(2);
        assertThat(truth.sum().dtype()).isEqualTo(DType.I32);
        assertThat(truth.cumsum(0).toInts()).containsExactly(1, 2, 2);
    }

    @Test
    void dimensionsAndShapes() {
        Tensor x = ones(2, 3);
        fails(() -> x.sum(2, false), "dim: no such dimension in [2,3]; got 2; expected -2 to 1");
        fails(
                () -> x.reshape(4, -1),
                "reshape: cannot work out the extent −1; got [2,3] to [4, -1]; expected other extents"
                        + " that divide 6");
        fails(
                () -> x.reshape(4),
                "reshape: numbers of elements differ; got [2,3] to [4]; expected 6 elements");
        fails(
                () -> x.permute(0, 0),
                "permute: not an order of the dimensions of [2,3]; got [0, 0]; expected each of 0 to 1"
                        + " once");
        fails(
                () -> x.narrow(1, 2, 2),
                "slice: out of range in dimension 1 of [2,3]; got start 2, length 2, step 1; expected"
                        + " elements 0 to 2 and a step of at least 1");
        fails(
                () -> x.expand(Shape.of(2, 4)),
                "expand: shapes do not broadcast; got [2,3] and [2,4]; expected extents that are equal"
                        + " or 1, counted from the last");
        fails(
                () -> tensor(new float[] {1, 2, 3}, 2, 2),
                "tensor: wrong number of values; got 3 for [2,2]; expected 4 values");
        fails(() -> x.item(), "item: more than one element; got f32[2,3]; expected one element");
        fails(() -> x.at(0, 3), "at: index out of range; got 3 in dimension 1; expected 0 to 2");
    }

    @Test
    void picking() {
        fails(
                () -> embedding(ones(4, 2), indices(new int[] {1, 4})),
                "indexSelect: index out of range; got 4; expected 0 to 3");
        fails(
                () -> ones(2, 3).gather(1, ones(2, 1)),
                "gather: index does not fit; got f32[2,1] for f32[2,3]; expected an i32 index with"
                        + " extents that differ in dimension 1 only");
        assertThatThrownBy(() -> where(ones(2), ones(2), ones(2)))
                .hasMessageStartingWith("where: dtypes do not fit; got f32[2], f32[2], f32[2];");
        fails(
                () -> concat(0, ones(2, 3), ones(2, 4)),
                "concat: operands do not fit; got f32[2,3] and f32[2,4]; expected one dtype, and"
                        + " extents that differ in dimension 0 only");
        fails(() -> concat(0), "concat: nothing to join; expected at least one tensor");
        fails(() -> stack(0), "concat: nothing to join; expected at least one tensor");
    }

    @Test
    void devices() {
        fails(
                () -> ones(2).add(ones(2).to(Device.REFERENCE)),
                "add: operands on different devices; got cpu and reference; expected one device; move"
                        + " one of them with to(device)");
        assertThatThrownBy(() -> ones(2).to(new Device("abacus", 0)))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith("device: no such backend; got abacus; expected ");
    }

    @Test
    void differentiation() {
        Tensor x = ones(2).requireGrad();
        fails(
                () -> x.mul(2).backward(),
                "backward: not a scalar; got f32[2]; expected one element; reduce it with sum() or"
                        + " mean(), or give its gradient: backward(dy)");
        fails(
                () -> x.mul(2).backward(ones(3)),
                "backward: the gradient has another shape; got f32[3] for f32[2]; expected the shape"
                        + " of what is differentiated");
        fails(
                () -> ones(2).sum().backward(),
                "backward: nothing that this tensor was computed from needs a gradient; got f32[];"
                        + " expected a parameter, or a tensor from requireGrad(), in its history; look"
                        + " for noGrad or detach, or frozen parameters");
        fails(
                () -> grad(x.sum(), List.of(ones(2)), false),
                "grad: nothing that this tensor was computed from needs a gradient; got f32[2];"
                        + " expected a parameter, or a tensor from requireGrad(), in its history; look"
                        + " for noGrad or detach, or frozen parameters");
        Parameter unused = parameter("w", ones(3));
        fails(
                () -> x.sum().backward().get(unused),
                "gradient: there is none for parameter w; expected a leaf that the differentiated"
                        + " tensor depends on; is it frozen, detached, or not used in the forward"
                        + " pass?");
        fails(
                () -> indices(new int[] {1}).requireGrad(),
                "requireGrad: gradients need a compute type; got i32[]; expected f32 or f64; convert"
                        + " it with to(DType.F32)");
        fails(
                () -> parameter("w", ones(DType.BF16, Shape.of(2))).trainable(true),
                "parameter w: cannot train in a storage type; got bf16; expected f32; replace it by"
                        + " its f32 copy first: p.replace(p.to(DType.F32))");
        fails(
                () -> unused.assign(ones(2)),
                "assign to parameter w: shapes differ; got f32[2]; expected f32[3]");
    }

    @Test
    void areShapeExceptionsWhereOperandsDoNotFit() {
        assertThatThrownBy(() -> ones(2).add(ones(3))).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> indices(new int[] {1}).exp()).isInstanceOf(ShapeException.class);
    }
}
