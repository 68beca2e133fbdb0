package io.github.panagrad.tornado;

import static io.github.panagrad.tornado.HostComparison.DEVICE;
import static io.github.panagrad.tornado.HostComparison.check;
import static io.github.panagrad.tornado.HostComparison.random;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.ArgExtremum;
import io.github.panagrad.engine.op.Extremum;
import io.github.panagrad.engine.op.LogSumExp;
import io.github.panagrad.engine.op.Norm;
import io.github.panagrad.engine.op.Sum;
import io.github.panagrad.engine.op.SumOfSquares;
import io.github.panagrad.engine.spi.Backends;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Reductions over every kind of dimensions, with blocks and without.
class ReduceKernelsTest {
    @BeforeEach
    void clearLog() {
        Backends.clearLog();
    }

    @Test
    void addsUpAnyDimensions() {
        check(new Sum(List.of(1)), random(37, 1));
        check(new Sum(List.of(1)), random(37, 9));
        check(new Sum(List.of(1)), random(300, 67));
        check(new Sum(List.of(1)), random(3, 9001));
        check(new Sum(List.of(0)), random(70001));
        check(new Sum(List.of(0)), random(1003, 5));
        check(new Sum(List.of(0)), random(33, 700));
        check(new Sum(List.of(1)), random(3, 515, 17));
        check(new Sum(List.of(0, 2)), random(65, 3, 130));
        check(new Sum(List.of(0, 1, 3)), random(5, 6, 7, 8));
        check(new Sum(List.of()), random(5, 6));
        check(new Sum(List.of(0)), random(0, 3));
        check(new Sum(List.of(1)), random(3, 0));
        HostComparison.assertOwnKernels("Sum");
    }

    @Test
    void countsTruths() {
        Tensor x = random(77, 515);
        for (int dim : new int[] {0, 1}) {
            Tensor here = x.gt(0).sum(dim, false);
            Tensor there = x.gt(0).to(DEVICE).sum(dim, false);
            assertThat(there.dtype()).isEqualTo(DType.I32);
            HostComparison.compare("count", there, here);
        }
        HostComparison.compare("count", x.gt(0).to(DEVICE).sum(), x.gt(0).sum());
        HostComparison.assertOwnKernels("Sum");
    }

    @Test
    void takesNorms() {
        check(new SumOfSquares(), random(17));
        check(new SumOfSquares(), random(300, 301));
        check(new Norm(List.of(1)), random(9, 2500));
        check(new Norm(List.of(0)), random(2500, 9));
        check(new Norm(List.of(1, 2)), random(9, 70, 30));
        HostComparison.assertOwnKernels("SumOfSquares", "Norm");
    }

    @Test
    void findsExtremesAndTheirPlaces() {
        for (boolean max : new boolean[] {true, false}) {
            check(new Extremum(max, 1), random(5, 5000));
            check(new Extremum(max, 0), random(5000, 5));
            check(new Extremum(max, 1), random(300, 7));
            check(new ArgExtremum(max, 1), random(5, 5000));
            check(new ArgExtremum(max, 0), random(500, 5));
            check(new ArgExtremum(max, 1), random(3, 70, 9).mul(2).to(DType.I32).to(DType.F32));
        }
        HostComparison.assertOwnKernels("Extremum", "ArgExtremum");
    }

    @Test
    void letsNanWin() {
        for (int at : new int[] {0, 1, 400, 999}) {
            float[] x = random(1000).toFloats();
            x[at] = Float.NaN;
            Tensor row = Ops.tensor(x, 1000).to(DEVICE);
            assertThat(row.max(0, false).item()).isNaN();
            assertThat(row.reshape(1000, 1).min(0, false).item()).isNaN();
            assertThat(row.sum().item()).isNaN();
        }
    }

    @Test
    void addsUpExponentials() {
        check(new LogSumExp(1), random(5, 5000).mul(20));
        check(new LogSumExp(0), random(500, 6).mul(20));
        check(new LogSumExp(1), random(300, 3));
        Tensor infinite =
                Ops.tensor(
                        new float[] {
                            Float.NEGATIVE_INFINITY,
                            1,
                            Float.NEGATIVE_INFINITY,
                            2,
                            Float.NEGATIVE_INFINITY,
                            3,
                            Float.NEGATIVE_INFINITY,
                            Float.POSITIVE_INFINITY
                        },
                        4,
                        2);
        HostComparison.compare(
                "infinite", infinite.to(DEVICE).logSumExp(0, false), infinite.logSumExp(0, false));
        HostComparison.compare(
                "infinite", infinite.to(DEVICE).logSumExp(1, false), infinite.logSumExp(1, false));
        HostComparison.assertOwnKernels("LogSumExp");
    }
}
