package io.github.panagrad.tornado;

import static io.github.panagrad.tornado.HostComparison.check;
import static io.github.panagrad.tornado.HostComparison.random;

import io.github.panagrad.engine.op.LayerNorm;
import io.github.panagrad.engine.op.LogSoftmax;
import io.github.panagrad.engine.op.RmsNorm;
import io.github.panagrad.engine.op.Softmax;
import io.github.panagrad.engine.spi.Backends;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Kernels over rows, on rows that share a group and on rows longer than one.
class RowKernelsTest {
    @BeforeEach
    void clearLog() {
        Backends.clearLog();
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 17", "67, 5", "129, 64", "35, 300", "3, 5003", "700, 33"})
    void normalises(int rows, int n) {
        check(new RmsNorm(1e-5), random(rows, n), random(n));
        check(new LayerNorm(1e-5), random(rows, n).mul(0.5), random(n), random(n));
        HostComparison.assertOwnKernels("RmsNorm", "RmsNorm.Grad", "LayerNorm", "LayerNorm.Grad");
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 17", "67, 5", "129, 64", "35, 300", "3, 5003"})
    void takesSoftmax(int rows, int n) {
        check(new Softmax(), random(rows, n).mul(10));
        check(new LogSoftmax(), random(rows, n).mul(10));
        HostComparison.assertOwnKernels("Softmax", "Softmax.Grad", "LogSoftmax", "LogSoftmax.Grad");
    }
}
