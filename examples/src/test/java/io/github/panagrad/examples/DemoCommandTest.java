package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.examples.demo.Demonstrations;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoCommandTest {
    @TempDir private Path folder;

    @Test
    void listsWhatThereIs() {
        CommandLineRun run = CommandLineRun.of("demo");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out().lines()).hasSameSizeAs(Demonstrations.ALL);
        assertThat(run.out()).contains("coverage: dco");
    }

    @Test
    void figuresOfARunArePrintedAndKeptForThePageOfMethods() {
        Path file = folder.resolve("figures.json");
        CommandLineRun run = CommandLineRun.of("demo", "coverage", "--seeds", "2", "--json", file);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).startsWith("### coverage").contains("| cross-entropy | ");
        assertThat(run.err()).contains("coverage: 1 of 2 seeds");

        CommandLineRun page = CommandLineRun.of("methods", "--demonstrations", file);
        assertThat(page.code()).as(page.err()).isZero();
        assertThat(page.out())
                .contains("## Demonstrations")
                .contains(run.out().strip())
                .contains("`DirectCoverage` | [coverage](#coverage) |");
        assertThat(page.out().lines().filter(line -> line.startsWith("| `lora` ")))
                .allMatch(line -> line.endsWith("| `Lora` |"));
    }

    @Test
    void saysWhatIsMissing() {
        assertThat(CommandLineRun.of("demo", "no-such").err()).contains("no-such").contains("poft");
        assertThat(CommandLineRun.of("demo", "calibration", "--assets", folder).err())
                .contains("is not there")
                .contains("--assets");
        assertThat(CommandLineRun.of("demo", "coverage", "--seeds", "-1").err())
                .contains("out of range");
    }
}
