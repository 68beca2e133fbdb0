package io.github.panagrad.nn.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.models.SentenceEmbedder;
import java.util.List;
import org.junit.jupiter.api.Test;

class RetrievalTest {
    private static Tensor tensor(int[] dims, double... values) {
        return Ops.tensor64(values, dims);
    }

    @Test
    void scoresAreTheBestCosinesOfEachToken() {
        // Queries: (1,0), (0,2); and (1,0) alone. Documents: (3,4), (0,1); and (−1,0) alone.
        Tensor queries = tensor(new int[] {2, 2, 2}, 1, 0, 0, 2, 1, 0, 9, 9);
        Tensor queryMask = tensor(new int[] {2, 2}, 1, 1, 1, 0);
        Tensor documents = tensor(new int[] {2, 2, 2}, 3, 4, 0, 1, -1, 0, 1, 0);
        Tensor documentMask = tensor(new int[] {2, 2}, 1, 1, 1, 0);
        assertThat(LateInteraction.maxSim(queries, queryMask, documents, documentMask).toDoubles())
                .containsExactly(new double[] {0.6 + 1, -1 + 0, 0.6, -1}, within(1e-12));
    }

    @Test
    void hasTheGradientOfItsValue() {
        Tensor mask = tensor(new int[] {2, 3}, 1, 1, 0, 1, 1, 1);
        Tensor documents = Ops.randn(Rng.of(2), 2, 3, 4);
        assertThat(
                        GradCheck.maxError(
                                x ->
                                        LateInteraction.maxSim(
                                                        x,
                                                        mask,
                                                        documents.to(x.dtype()).to(x.device()),
                                                        mask)
                                                .square()
                                                .sum(),
                                Ops.randn(Rng.of(1), 2, 3, 4)))
                .isLessThan(1e-6);
    }

    @Test
    void refusesWhatDoesNotFit() {
        Tensor mask = tensor(new int[] {1, 2}, 1, 1);
        Tensor two = tensor(new int[] {1, 2, 2}, 1, 0, 0, 1);
        Tensor three = tensor(new int[] {1, 2, 3}, 1, 0, 0, 1, 1, 1);
        assertThatThrownBy(() -> LateInteraction.maxSim(two, mask, three, mask))
                .hasMessageContaining("differ in width");
        assertThatThrownBy(() -> LateInteraction.maxSim(two, two, two, mask))
                .hasMessageContaining("states and mask do not fit");
    }

    @Test
    void findsFactsByTheirMeaning() {
        var embedder = SentenceEmbedder.load(Assets.require("models/all-minilm-l6-v2"));
        List<String> facts =
                List.of(
                        "Bees collect nectar and turn it into honey.",
                        "The Eiffel Tower stands in Paris.",
                        "Water freezes at zero degrees Celsius and becomes ice.",
                        "A violin has four strings.");
        var index = TokenIndex.of(embedder.encoder(), embedder.tokenizer(), facts);
        assertThat(index.nearest("What do bees make?", 1).getFirst().text()).isZero();
        assertThat(index.nearest("When does water turn to ice?", 1).getFirst().text()).isEqualTo(2);
        assertThat(index.nearest("How many strings are on a violin?", 2))
                .hasSize(2)
                .first()
                .extracting(TokenIndex.Hit::text)
                .isEqualTo(3);
        assertThat(index.nearest("Paris", 9)).hasSize(4);
        assertThatThrownBy(() -> TokenIndex.of(embedder.encoder(), embedder.tokenizer(), List.of()))
                .hasMessageContaining("no texts");
    }
}
