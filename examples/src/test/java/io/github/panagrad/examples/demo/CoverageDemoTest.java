package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

class CoverageDemoTest {
    @Test
    void coverageIsKeptWhereCrossEntropyGrowsSure() {
        var lines = new ArrayList<String>();
        Outcome outcome = new CoverageDemo().run(Path.of("none"), 2, lines::add);

        assertThat(outcome.arms()).hasSize(3);
        assertThat(outcome.plain()).isEqualTo("cross-entropy");
        assertThat(outcome.spread("coverage 256", "pass@256").mean())
                .isGreaterThan(outcome.spread("cross-entropy", "pass@256").mean());
        assertThat(lines).hasSize(2);
        assertThat(lines.getLast()).startsWith("coverage: 2 of 2 seeds");
    }
}
