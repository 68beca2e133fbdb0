package io.github.panagrad.engine.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Ops;
import org.junit.jupiter.api.Test;

class ErfTest {
    /// Arguments and values (Abramowitz, Stegun, table 7.1).
    private static final double[][] TABLE = {
        {0, 0},
        {1e-8, 1.1283791670955126e-8},
        {0.1, 0.1124629160182849},
        {0.5, 0.5204998778130465},
        {1, 0.8427007929497149},
        {1.5, 0.9661051464753108},
        {2, 0.9953222650189527},
        {2.5, 0.9995930479825550},
        {3, 0.9999779095030014},
        {4, 0.9999999845827421},
        {7, 1}
    };

    @Test
    void isExactInDoublesToTwelveDigitsAndInFloatsToSix() {
        for (double[] row : TABLE) {
            for (int sign = -1; sign <= 1; sign += 2) {
                double x = sign * row[0];
                double y = sign * row[1];
                assertThat(Ops.tensor64(new double[] {x}, 1).erf().at(0))
                        .as("erf(%s)", x)
                        .isCloseTo(y, offset(1e-12));
                assertThat(Ops.tensor(new float[] {(float) x}, 1).erf().at(0))
                        .as("erf(%s) in floats", x)
                        .isCloseTo(y, offset(1e-6));
            }
        }
    }
}
