package io.github.panagrad.tornado;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.op.Add;
import io.github.panagrad.engine.op.Compare;
import io.github.panagrad.engine.op.Div;
import io.github.panagrad.engine.op.Logical;
import io.github.panagrad.engine.op.Maximum;
import io.github.panagrad.engine.op.Minimum;
import io.github.panagrad.engine.op.Mul;
import io.github.panagrad.engine.op.Pow;
import io.github.panagrad.engine.op.Sub;
import io.github.panagrad.engine.op.Where;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Ops of two operands, comparisons and choices, where samples are too small or too tame.
class BinaryKernelsTest {
    private static final Tensor SPECIAL =
            Ops.tensor(Double.NaN, -1, 0, 1, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);

    private static Tensor random(int... dims) {
        return Ops.rand(Rng.of(dims.length), dims).add(0.5).detach();
    }

    @Test
    void repeatsOperandsOfManyGroups() {
        Tensor whole = random(7, 33, 129);
        for (Tensor other :
                List.of(random(), random(129), random(33, 1), random(7, 1, 1), random(7, 1, 129))) {
            OnDevice.agrees(0, new Add(), whole, other);
            OnDevice.agrees(0, new Sub(), other, whole);
            OnDevice.agrees(0, new Mul(), whole, other);
            OnDevice.agrees(2e-7, new Div(), other, whole);
            OnDevice.agrees(1e-6, new Pow(), whole, other);
            OnDevice.agrees(0, new Minimum(), whole, other);
            OnDevice.agrees(0, new Compare(Compare.How.LT), other, whole);
        }
        OnDevice.agrees(0, new Add(), random(5, 1, 3, 1, 2, 1), random(1, 4, 1, 2, 1, 7));
    }

    @Test
    void walksViewsOnTheDevice() {
        Tensor x = random(65, 70);
        Tensor y = random(70, 65);
        Tensor there =
                x.to(OnDevice.DEVICE).transpose(0, 1).add(y.to(OnDevice.DEVICE).slice(1, 0, 65, 1));
        OnDevice.close(there.toDoubles(), x.transpose(0, 1).add(y).toDoubles(), 0);
        Tensor half =
                x.to(OnDevice.DEVICE).slice(1, 1, 35, 2).mul(x.to(OnDevice.DEVICE).narrow(1, 0, 1));
        OnDevice.close(
                half.toDoubles(), x.slice(1, 1, 35, 2).mul(x.narrow(1, 0, 1)).toDoubles(), 0);
    }

    @Test
    void addsIntoItsOwnOperand() {
        Tensor a = random(3, 77);
        Tensor b = random(3, 77);
        Tensor sum = a.to(OnDevice.DEVICE);
        Backends.clearLog();
        Tape.into(new Add(), new Tensor[] {sum, b.to(OnDevice.DEVICE)}, sum);
        OnDevice.noneByTheHost();
        OnDevice.close(sum.toDoubles(), a.add(b).toDoubles(), 0);
    }

    @Test
    void keepsNanInMinimumAndMaximum() {
        Tensor column = SPECIAL.reshape(6, 1);
        OnDevice.agrees(0, new Minimum(), column, SPECIAL);
        OnDevice.agrees(0, new Maximum(), column, SPECIAL);
    }

    @ParameterizedTest
    @EnumSource
    void comparesAllPairs(Compare.How how) {
        OnDevice.agrees(0, new Compare(how), SPECIAL.reshape(6, 1), SPECIAL);
        Tensor ints = Ops.indices(new int[] {-3, 0, 5, Integer.MAX_VALUE, Integer.MIN_VALUE}, 5);
        OnDevice.agrees(0, new Compare(how), ints.reshape(5, 1), ints);
        Tensor truths = Ops.mask(new boolean[] {true, false}, 2);
        OnDevice.agrees(0, new Compare(how), truths.reshape(2, 1), truths);
    }

    @ParameterizedTest
    @EnumSource
    void connectsAllPairs(Logical.How how) {
        Tensor truths = Ops.mask(new boolean[] {true, false}, 2);
        OnDevice.agrees(0, new Logical(how), truths.reshape(2, 1), truths);
    }

    @Test
    void choosesByAMaskThatRepeats() {
        Tensor mask = Ops.trilMask(70, 70, 0);
        OnDevice.agrees(0, new Where(), mask, random(3, 70, 70), Ops.tensor(-1e9).reshape());
        OnDevice.agrees(0, new Where(), mask, random(70), random(2, 1, 70, 1));
    }

    @Test
    void calculatesWithIntegers() {
        Tensor a = Ops.arange(300).reshape(300, 1);
        Tensor b = Ops.arange(-5, 6, 1);
        OnDevice.agrees(0, new Add(), a, b);
        OnDevice.agrees(0, new Sub(), a, b);
        OnDevice.agrees(0, new Mul(), a, b);
    }
}
