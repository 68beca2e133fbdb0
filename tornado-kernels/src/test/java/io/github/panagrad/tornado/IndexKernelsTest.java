package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.Concat;
import io.github.panagrad.engine.op.CumSum;
import io.github.panagrad.engine.op.Fold;
import io.github.panagrad.engine.op.Gather;
import io.github.panagrad.engine.op.IndexAdd;
import io.github.panagrad.engine.op.IndexAddTo;
import io.github.panagrad.engine.op.IndexSelect;
import io.github.panagrad.engine.op.ScatterAdd;
import io.github.panagrad.engine.op.Triangle;
import io.github.panagrad.engine.op.Unslice;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Tape;
import org.junit.jupiter.api.Test;

/// Picking and adding by number, and moves, in sizes of many groups and with bad indices.
class IndexKernelsTest {
    private static final double TOLERANCE = 1e-6;

    private static Tensor random(int... dims) {
        return Ops.randn(Rng.of(dims.length), dims);
    }

    /// Draws indices of which about half are 0, as padding is.
    private static Tensor indices(int bound, int... dims) {
        Rng.Draw draw = Rng.of(bound).draw();
        int n = 1;
        for (int d : dims) {
            n *= d;
        }
        int[] values = new int[n];
        for (int i = 0; i < n; i++) {
            values[i] = draw.uniform(2L * i) < 0.5 ? 0 : (int) (bound * draw.uniform(2L * i + 1));
        }
        return Ops.indices(values, dims);
    }

    @Test
    void looksUpAndAddsManyRows() {
        Tensor index = indices(1000, 700);
        OnDevice.agrees(0, new IndexSelect(0), random(1000, 33), index);
        OnDevice.agrees(TOLERANCE, new IndexAdd(0, 1000), random(700, 33), index);
        OnDevice.agrees(TOLERANCE, new IndexAddTo(0), random(1000, 33), random(700, 33), index);
        OnDevice.agrees(TOLERANCE, new IndexAdd(1, 1000), random(3, 700, 5), index);
    }

    @Test
    void addsToASumInPlace() {
        Tensor sum = random(50, 9);
        Tensor x = random(120, 9);
        Tensor index = indices(50, 120);
        Tensor there = sum.to(OnDevice.DEVICE);
        Backends.clearLog();
        Tape.into(
                new IndexAddTo(0),
                new Tensor[] {there, x.to(OnDevice.DEVICE), index.to(OnDevice.DEVICE)},
                there);
        OnDevice.noneByTheHost();
        OnDevice.close(
                there.toDoubles(),
                Tape.one(new IndexAddTo(0), sum, x, index).toDoubles(),
                TOLERANCE);
    }

    @Test
    void addsAlikeInEachRun() {
        Tensor x = random(900, 7).to(OnDevice.DEVICE);
        Tensor index = indices(40, 900).to(OnDevice.DEVICE);
        float[] first = Tape.one(new IndexAdd(0, 40), x, index).toFloats();
        assertThat(Tape.one(new IndexAdd(0, 40), x, index).toFloats()).isEqualTo(first);
    }

    @Test
    void gathersAndScatters() {
        OnDevice.agrees(0, new Gather(1), random(300, 77), indices(77, 300, 1));
        OnDevice.agrees(0, new Gather(1), random(5, 30, 9), indices(30, 5, 70, 9));
        // By an element's thread: few for one, or few lines; by a line's thread: long and many.
        OnDevice.agrees(TOLERANCE, new ScatterAdd(1, 77), random(300, 1), indices(77, 300, 1));
        OnDevice.agrees(TOLERANCE, new ScatterAdd(0, 90), random(500), indices(90, 500));
        OnDevice.agrees(
                TOLERANCE, new ScatterAdd(1, 8), random(50, 40, 30), indices(8, 50, 40, 30));
    }

    @Test
    void moves() {
        OnDevice.agrees(0, new Concat(1), random(4, 30, 9), random(4, 1, 9), random(4, 70, 9));
        OnDevice.agrees(0, new Concat(0), Ops.arange(7), Ops.arange(99));
        OnDevice.agrees(0, new Unslice(1, 30, 3, 200), random(5, 40, 6));
        OnDevice.agrees(TOLERANCE, new Fold(1, 2, 3, 250), random(3, 100, 4, 9));
        OnDevice.agrees(0, new Triangle(true, 3), random(2, 70, 90));
        OnDevice.agrees(0, new Triangle(false, -3), random(2, 90, 70));
        OnDevice.agrees(TOLERANCE, new CumSum(1, true), random(3, 5000, 2));
    }

    @Test
    void reportsAnIndexOutOfRangeWhenResultsAreRead() {
        Tensor x = random(7, 70);
        Tensor index = Ops.indices(new int[] {3, 9, 0}, 3);
        rejects(
                "indexSelect: index out of range; got 9; expected 0 to 6",
                new IndexSelect(0),
                x,
                index);
        Tensor negative = Ops.indices(new int[] {3, 1, -4, 0, 2, 2, 1}, 7);
        rejects(
                "indexAdd: index out of range; got -4; expected 0 to 4",
                new IndexAdd(0, 5),
                x,
                negative);
        Tensor far = Ops.indices(new int[] {0, 1, 2, 3, 4, 5, Integer.MAX_VALUE}, 7, 1);
        rejects(
                "gather: index out of range; got 2147483647; expected 0 to 69",
                new Gather(1),
                x,
                far);
        Tensor column = x.narrow(1, 0, 1).copy();
        rejects(
                "scatterAdd: index out of range; got 2147483647; expected 0 to 5",
                new ScatterAdd(1, 6),
                column,
                far);
    }

    private static void rejects(String message, Op op, Tensor... in) {
        Tensor[] there = new Tensor[in.length];
        for (int i = 0; i < in.length; i++) {
            there[i] = in[i].to(OnDevice.DEVICE);
        }
        Tensor result = Tape.one(op, there);
        assertThatThrownBy(result::toDoubles)
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining(message);
        assertThatThrownBy(() -> Tape.one(op, in))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining(message);
        assertThat(result.dtype()).isEqualTo(DType.F32);
        assertThat(there[0].toDoubles()).isEqualTo(in[0].toDoubles());
    }
}
