package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.op.Dropout;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Tape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Dropout drops the very elements that it drops on the CPU.
class DropoutKernelsTest {
    @ParameterizedTest
    @CsvSource({
        "0.1, 5, 0, 1",
        "0.3, -1, 7, 257",
        "0.5, 81985529216486895, -2, 1023",
        "0.9, -81985529216486895, 4294967297, 4096",
        "0, 3, 2147483648, 65",
        "0.25, 4294967295, 1099511627775, 10007"
    })
    void dropsTheSameElements(double p, long seed, long position, int n) {
        var draw = new Rng.Draw(seed, position);
        Tensor ones = Ops.ones(n);
        Backends.clearLog();
        float[] there = Tape.one(new Dropout(p, draw), ones.to(OnDevice.DEVICE)).toFloats();
        OnDevice.noneByTheHost();
        for (int i = 0; i < n; i++) {
            assertThat(there[i] != 0).as("element %d", i).isEqualTo(draw.uniform(i) >= (float) p);
        }
        assertThat(there).isEqualTo(Tape.one(new Dropout(p, draw), ones).toFloats());
    }
}
