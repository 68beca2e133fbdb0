package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CoverageDemoTest {
    @Test
    void coverageIsKeptWhereCrossEntropyGrowsSure() {
        List<CoverageDemo.Arm> arms = new CoverageDemo(2, 40).run();
        assertThat(arms).hasSize(3);
        double plain = arms.get(0).coverage().get(2).mean();
        double wide = arms.get(2).coverage().get(2).mean();
        assertThat(wide).isGreaterThan(plain);
        assertThat(CoverageDemo.table(arms)).contains("cross-entropy", "coverage 256");
    }
}
