package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.op.Linear;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Tape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LinearKernelTest {
    private final Rng rng = Rng.of(9);

    private Tensor randn(int... dims) {
        return Ops.randn(rng, dims);
    }

    private static void check(Tensor... in) {
        double[] actual = Tape.one(new Linear(), in).toDoubles();
        Tensor[] plain =
                Arrays.stream(in)
                        .map(t -> t.to(DType.F32).to(Device.REFERENCE))
                        .toArray(Tensor[]::new);
        double[] wanted = Tape.one(new Linear(), plain).toDoubles();
        assertThat(actual).hasSameSizeAs(wanted);
        for (int i = 0; i < wanted.length; i++) {
            assertThat(Math.abs(actual[i] - wanted[i])).as("at %d", i).isLessThan(2e-5);
        }
    }

    @Test
    void runsOnItsOwnKernel() {
        Backends.clearLog();
        Tape.one(new Linear(), randn(3, 4), randn(5, 4));
        assertThat(Backends.explain()).contains("LinearKernel");
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F16"})
    void readsWeightsAsTheyAreStored(DType type) {
        for (int rows : new int[] {1, 3, 30}) {
            check(randn(rows, 40), randn(50, 40).to(type));
            check(randn(rows, 40), randn(50, 40).to(type), randn(50));
            check(randn(2, rows, 37), randn(3, 37).to(type), randn(3));
        }
    }

    @Test
    void readsTransposedWeightsWhereTheyLie() {
        check(randn(30, 40), randn(40, 50).transpose(), randn(50));
        check(randn(30, 40), randn(50, 90).narrow(1, 7, 40));
    }

    @Test
    void widensAStoredInput() {
        check(randn(7, 40).to(DType.BF16), randn(50, 40), randn(50));
    }

    @Test
    void handlesNoRowsAndVectors() {
        check(randn(0, 4), randn(5, 4), randn(5));
        check(randn(4), randn(5, 4), randn(5));
    }
}
