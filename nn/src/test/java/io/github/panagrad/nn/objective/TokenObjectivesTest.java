package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.TokenObjectives.Scope;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TokenObjectivesTest {
    private static final Step STEP = new Step(1, 1, 0, Context.of(Rng.of(0)));

    private static CausalLM model() {
        CausalLM model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        model.to(DType.F64);
        return model;
    }

    private static List<Example> examples() {
        var examples = new ArrayList<Example>();
        for (int length : new int[] {5, 9, 3, 8}) {
            examples.add(Example.of(TinyModels.ids(length, 1, length).toInts()));
        }
        return examples;
    }

    private static List<Batch> batches(int size, boolean packed) {
        Batches batches = Batches.of(examples()).size(size).ordered();
        var all = new ArrayList<Batch>();
        (packed ? batches.packed(14) : batches).forEach(all::add);
        return all;
    }

    /// A kind of objective, named for messages.
    record Kind(String name, Function<CausalLM, Objective<Batch>> on) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Kind> plain() {
        return Stream.of(
                new Kind("focal", m -> TokenObjectives.focal(m, 0)),
                new Kind("poly-1", m -> TokenObjectives.poly1(m, 0)),
                new Kind("gce", m -> TokenObjectives.generalizedCrossEntropy(m, 0, 0)),
                new Kind("sce", m -> TokenObjectives.symmetricCrossEntropy(m, 1, 0, -4)),
                new Kind("pwce", m -> TokenObjectives.perplexityWeighted(m, 0, 1, Scope.SEQUENCE)));
    }

    static Stream<Kind> invariant() {
        return Stream.of(
                new Kind("focal", m -> TokenObjectives.focal(m, 2)),
                new Kind("poly-1", m -> TokenObjectives.poly1(m, 1)),
                new Kind("gce", m -> TokenObjectives.generalizedCrossEntropy(m, 0.7, 0)),
                new Kind("truncated", m -> TokenObjectives.generalizedCrossEntropy(m, 0.7, 0.01)),
                new Kind("sce", m -> TokenObjectives.symmetricCrossEntropy(m, 0.1, 1, -4)),
                new Kind("pwce", m -> TokenObjectives.perplexityWeighted(m, 1, 1, Scope.SEQUENCE)));
    }

    @ParameterizedTest
    @MethodSource("plain")
    void isPlainCrossEntropyAtTheEndOfItsRange(Kind kind) {
        var model = model();
        Batch batch = batches(4, false).getFirst();
        LossTerm expected = Objectives.nextToken(model).loss(batch, STEP);
        LossTerm actual = kind.on.apply(model).loss(batch, STEP);
        assertThat(actual.sum().item()).isCloseTo(expected.sum().item(), within(1e-9));
        assertThat(actual.count()).isEqualTo(expected.count());
        assertThat(actual.report().get("nll") * actual.count())
                .isCloseTo(expected.sum().item(), within(1e-9));
        Grads a = actual.sum().backward();
        Grads e = expected.sum().backward();
        for (Parameter p : model.trainable()) {
            double[] was = e.get(p).toDoubles();
            double[] is = a.get(p).toDoubles();
            for (int i = 0; i < is.length; i++) {
                assertThat(is[i]).as(p.name()).isCloseTo(was[i], within(1e-9));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("invariant")
    void doesNotDependOnHowRowsAreBatchedOrPacked(Kind kind) {
        var model = model();
        Objective<Batch> objective = kind.on.apply(model);
        assertThat(objective.isAccumulationInvariant()).isTrue();
        double whole = sum(objective, batches(4, false));
        assertThat(sum(objective, batches(1, false))).isCloseTo(whole, within(1e-9));
        assertThat(sum(objective, batches(2, true))).isCloseTo(whole, within(1e-9));
    }

    private static double sum(Objective<Batch> objective, List<Batch> batches) {
        return batches.stream().mapToDouble(b -> objective.loss(b, STEP).sum().item()).sum();
    }

    @ParameterizedTest
    @MethodSource("invariant")
    void hasTheGradientThatDifferencesGive(Kind kind) {
        var model = model();
        Batch batch = Batches.of(examples().subList(0, 1)).size(1).iterator().next();
        var norm = model.parameters().get("model.norm.weight");
        Objective<Batch> objective = kind.on.apply(model);
        if (kind.name.equals("pwce")) {
            // No gradient flows through the weights, which differences do not know.
            assertThat(objective.loss(batch, STEP).sum().backward().find(norm)).isPresent();
            return;
        }
        double[] g = objective.loss(batch, STEP).sum().backward().get(norm).toDoubles();
        double[] values = norm.toDoubles();
        for (int i = 0; i < 3; i++) {
            double up = moved(objective, batch, norm, values, i, 1e-5);
            double down = moved(objective, batch, norm, values, i, -1e-5);
            assertThat(g[i]).isCloseTo((up - down) / 2e-5, within(1e-6));
        }
    }

    private static double moved(
            Objective<Batch> objective,
            Batch batch,
            Parameter p,
            double[] values,
            int entry,
            double by) {
        double[] moved = values.clone();
        moved[entry] += by;
        p.assign(Ops.tensor64(moved, moved.length));
        return objective.loss(batch, STEP).sum().item();
    }

    @Test
    void weighsSurprisingTokensMore() {
        var model = model();
        Batch batch = batches(4, false).getFirst();
        double plain = sum(Objectives.nextToken(model), List.of(batch));
        double weighted =
                sum(TokenObjectives.perplexityWeighted(model, 1, 1, Scope.BATCH), List.of(batch));
        // Weights have a mean of 1 and go with ℓ, so the sum is more than twice the plain one.
        assertThat(weighted).isGreaterThan(2 * plain);
        assertThat(
                        TokenObjectives.perplexityWeighted(model, 1, 1, Scope.BATCH)
                                .isAccumulationInvariant())
                .isFalse();
        assertThat(TokenObjectives.perplexityWeighted(model, 1, 1, Scope.ROW).toString())
                .contains("row");
    }

    @Test
    void refusesWhatIsOutOfRange() {
        var model = model();
        assertThatThrownBy(() -> TokenObjectives.perplexityWeighted(model, -1, 1, Scope.ROW))
                .hasMessageContaining("lambda");
        Batch batch = batches(1, false).getFirst();
        assertThatThrownBy(() -> TokenObjectives.focal(model, -1).loss(batch, STEP))
                .hasMessageContaining("gamma");
    }
}
