package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.examples.catalog.Methods;
import io.github.panagrad.examples.catalog.ObjectiveCatalog;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MethodsCommandTest {
    @TempDir private Path folder;

    @Test
    void listsEveryMethodAndObjective() {
        CommandLineRun run = CommandLineRun.of("methods");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("written by `panagrad methods`.");
        Methods.CATALOG
                .entries()
                .forEach(e -> assertThat(run.out()).contains("| `" + e.name() + "`"));
        ObjectiveCatalog.CATALOG
                .entries()
                .forEach(e -> assertThat(run.out()).contains("| `" + e.name() + "`"));
        assertThat(run.out()).doesNotContain("held-out loss");
    }

    @Test
    void countsParametersOnAModel() throws Exception {
        Path model = TinyModel.write(folder.resolve("model"));
        CommandLineRun run = CommandLineRun.of("methods", "--model", model);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("--model model`").contains("| trains |");
        assertThat(run.out().lines().filter(l -> l.startsWith("| `bitfit`")))
                .allMatch(l -> l.contains("does not fit this model"));
        assertThat(run.out().lines().filter(l -> l.startsWith("| `lora` ")))
                .allMatch(l -> l.endsWith("| yes | yes |"));
        assertThat(Files.exists(model)).isTrue();
    }
}
