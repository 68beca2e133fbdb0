package io.github.panagrad.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final Case ROW =
            new Case(
                    "sgemm/NN/2x3x4",
                    "matrix products",
                    new Problem.Sgemm(false, false, 2, 3, 4),
                    "MKL",
                    1,
                    Case.Measure.TIME,
                    0.85,
                    0.95,
                    1e-4);
    private static final Comparison FOUND =
            new Comparison(ROW, 2.0, 1.8, 0.9, 0.88, 0.91, 3, 1e-7, "MKL 2026.1", "a machine");

    @Test
    void aRowIsALineOfJson() {
        String line = FOUND.toJson();
        assertThat(line).doesNotContain("\n");
        JsonObject json = JsonObject.parse("line", line);
        assertThat(json.string("case")).isEqualTo("sgemm/NN/2x3x4");
        assertThat(json.number("ours")).isEqualTo(2.0);
        assertThat(json.number("peer")).isEqualTo(1.8);
        assertThat(json.string("peer_name")).isEqualTo("MKL");
        assertThat(json.number("ratio")).isEqualTo(0.9);
        assertThat(json.string("met")).isEqualTo("floor");
    }

    @Test
    void aTableSaysWhatARatioIs() {
        List<String> lines = Table.lines(List.of(FOUND));
        assertThat(lines.getFirst()).contains("peer's time / our time").contains("our bytes");
        assertThat(lines.getLast())
                .contains("sgemm/NN/2x3x4")
                .contains("0.90")
                .contains("0.88–0.91")
                .endsWith("floor");
    }

    @Test
    void aPageKeepsWhatIsAroundTheFigures() {
        String page = "before\n" + Report.BEGIN + "\nold\n" + Report.END + "\nafter\n";
        String rows = Report.markdown(List.of(JsonObject.parse("line", FOUND.toJson())));
        String replaced = Report.replace(page, rows);
        assertThat(replaced).startsWith("before\n").endsWith("after\n").doesNotContain("old");
        assertThat(replaced).contains("### Matrix products").contains("| sgemm/NN/2x3x4 | MKL |");
        assertThat(Report.replace(replaced, rows)).isEqualTo(replaced);
    }

    @Test
    void aPageWithoutMarksIsRefused() {
        assertThatThrownBy(() -> Report.replace("page", ""))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("marks");
    }
}
