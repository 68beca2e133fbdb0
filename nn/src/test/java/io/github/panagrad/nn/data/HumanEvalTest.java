package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.nn.Assets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HumanEvalTest {
    @TempDir private Path folder;

    @Test
    void makesProgramsOfAnswers() throws IOException {
        Path file =
                Files.writeString(
                        folder.resolve("problems.jsonl"),
                        """
                        {"task_id": "T/0", "prompt": "def one():\\n", "entry_point": "one",\
                         "canonical_solution": "    return 1\\n",\
                         "test": "def check(f):\\n    assert f() == 1\\n"}
                        """);
        HumanEval.Problem problem = HumanEval.read(file).getFirst();
        assertThat(problem.id()).isEqualTo("T/0");
        assertThat(problem.program("    return 2\n"))
                .isEqualTo(
                        """
                        def one():
                            return 2

                        def check(f):
                            assert f() == 1

                        check(one)
                        """);
        Path broken = Files.writeString(folder.resolve("broken.jsonl"), "{\"task_id\": \"a\"}\n");
        assertThatThrownBy(() -> HumanEval.read(broken)).hasMessageContaining("broken.jsonl:1");
    }

    @Test
    void readsTheWholeSet() throws IOException {
        Path packed = Assets.require("datasets/humaneval/HumanEval.jsonl.gz");
        Path file = folder.resolve("HumanEval.jsonl");
        try (var in = new GZIPInputStream(Files.newInputStream(packed))) {
            Files.copy(in, file);
        }
        List<HumanEval.Problem> problems = HumanEval.read(file);
        assertThat(problems).hasSize(164);
        assertThat(problems.getFirst().id()).isEqualTo("HumanEval/0");
        assertThat(problems)
                .allSatisfy(p ->
                        assertThat(p.program(p.solution()))
                                .contains("def " + p.entryPoint())
                                .endsWith("check(" + p.entryPoint() + ")\n"));
    }
}
