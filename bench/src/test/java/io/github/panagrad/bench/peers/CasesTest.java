package io.github.panagrad.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.ground.DType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Holds the rows to what was promised.
class CasesTest {
    private static final List<Case> ALL = Cases.all(2);

    @ParameterizedTest
    @CsvSource({
        "sgemm/NN/512x288x3072, MKL, 0.85, 0.95",
        "sgemm/TN/1024x1024x1024, MKL, 0.85, 0.95",
        "sgemm/NT/512x32000x288, MKL, 0.80, 0.95",
        "sgemm/NT/512x32000x768, MKL, 0.80, 0.95",
        "sgemm2/NT/512x768x768, MKL, 0.78, 0.90",
        "sgemm/NT/512x768x768, OpenBLAS, 0.95, 1.05",
        "few-rows/NT/4x768x768, MKL, 1.5, 2.0",
        "few-rows/NT/8x768x768, MKL, 1.5, 2.0",
        "matvec/bf16, our f32, 1.25, 1.8",
        "matvec/int8, our f32, 2.0, 3.0",
        "matvec/4-bit, our f32, 2.0, 4.0",
        "linear-cross-entropy/D288, libtorch, 1.1, 1.5",
        "linear-cross-entropy/D768, libtorch, 1.1, 1.5",
        "memory/linear-cross-entropy/D288, libtorch, 0.2, 0.1",
        "attention/T256, libtorch, 0.9, 1.5",
        "attention/T1024, libtorch, 0.9, 1.5",
        "attention/T4096, libtorch, 0.9, 1.5",
        "rmsNorm, libtorch, 1.0, 2.0",
        "layerNorm, libtorch, 1.0, 2.0",
        "swiglu, libtorch, 1.0, 2.0",
        "rope, libtorch, 1.0, 2.0",
        "softmax, libtorch, 1.0, 2.0",
        "gelu, libtorch, 1.0, 2.0",
        "silu, libtorch, 1.0, 2.0",
        "adamw, libtorch, 1.0, 2.0",
        "step/full, libtorch, 1.0, 1.5",
        "step2/full, libtorch, 1.0, 1.5",
        "step/lora, libtorch, 1.3, 2.0",
        "memory/step/full, libtorch, 0.6, 0.4",
        "decode, libtorch, 1.5, 3.0"
    })
    void everyPromiseHasARow(String name, String peer, double floor, double aim) {
        assertThat(ALL)
                .filteredOn(c -> c.name().equals(name) && c.peer().equals(peer))
                .singleElement()
                .satisfies(c -> {
                    assertThat(c.floor()).isEqualTo(floor);
                    assertThat(c.aim()).isEqualTo(aim);
                });
    }

    @Test
    void productsCoverAllFormsAndSizes() {
        assertThat(ALL).filteredOn(c -> c.name().startsWith("sgemm/")).hasSize(2 * 36);
        assertThat(ALL).filteredOn(c -> c.name().startsWith("sgemm2/")).hasSize(36);
    }

    @Test
    void noTwoRowsAreTheSame() {
        assertThat(ALL).extracting(c -> c.name() + " " + c.peer()).doesNotHaveDuplicates();
    }

    @Test
    void theAimLiesBeyondTheFloor() {
        assertThat(ALL).allSatisfy(c -> assertThat(c.reaches(c.aim(), c.floor())).isTrue());
    }

    @Test
    void aRatioMeetsItsBounds() {
        Case time = ALL.getFirst();
        assertThat(time.met(0.96)).isEqualTo("aim");
        assertThat(time.met(0.90)).isEqualTo("floor");
        assertThat(time.met(0.5)).isEqualTo("no");
        Case memory = ALL.stream().filter(c -> c.measure() == Case.Measure.MEMORY).findAny().get();
        assertThat(memory.met(0.05)).isEqualTo("aim");
        assertThat(memory.met(0.15)).isEqualTo("floor");
        assertThat(memory.met(0.5)).isEqualTo("no");
    }

    @Test
    void stepsHaveTheSizesOfTheModel() {
        assertThat(Llama.STORIES_15M.size()).isEqualTo(15_191_712);
        assertThat(Llama.STORIES_15M.detours(8)).hasSize(6 * 7 * 2);
    }

    @Test
    void ourSideOfAFunctionRuns() {
        var small = new Problem.Rows(Problem.Function.RMS_NORM, 4, 8);
        Side side = new OwnSides().open(small, 1);
        assertThat(side.results()).extracting(r -> r.length).containsExactly(32, 32, 8);
        var row = new OwnSides().open(new Problem.MatVec(DType.BF16, 5, 64), 1);
        assertThat(row.results().getFirst()).hasSize(5);
    }

    @Test
    void ourStepLowersTheLoss() {
        var tiny = new Llama(64, 16, 32, 2, 2, 16, 1e-5);
        for (int rank : new int[] {0, 2}) {
            List<float[]> steps =
                    new OwnSides().open(new Problem.Step(tiny, 2, 16, rank), 1).results();
            assertThat(steps.get(2)[0]).isLessThan(steps.get(0)[0]);
        }
    }
}
