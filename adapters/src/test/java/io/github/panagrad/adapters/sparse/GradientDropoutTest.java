package io.github.panagrad.adapters.sparse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.MaskTuning;
import io.github.panagrad.adapters.TinyModel;
import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Distill;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Step;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GradientDropoutTest {
    private static final Objective<Integer> NONE = (batch, step) -> LossTerm.of(Ops.zeros(), 1);

    @Test
    void keepsByAgreement() {
        assertThat(GradientDropout.keepProbability(1, 1)).isEqualTo(1);
        assertThat(GradientDropout.keepProbability(1, -1)).isEqualTo(0.5);
        assertThat(GradientDropout.keepProbability(1, -3)).isEqualTo(0.25);
        assertThat(GradientDropout.keepProbability(2, -1)).isCloseTo(0.6667, within(1e-4));
        assertThat(GradientDropout.keepProbability(-1, 0.5)).isCloseTo(0.6667, within(1e-4));
        assertThat(GradientDropout.keepProbability(1, 0)).isEqualTo(1);
        assertThat(GradientDropout.keepProbability(0, 0)).isEqualTo(1);
    }

    /// Gradients a of each of `n` entries of `p`, after a dropout with b on the other side.
    private static float[] dropped(
            Parameter p, double lambda, double a, double b, double bCount, int threads) {
        Objective<Integer> second =
                (batch, step) -> new LossTerm(p.mul(b * bCount).sum(), bCount, 0, Map.of());
        var dropout = new GradientDropout<Integer>(lambda, List.of(p), second);
        Step step = new Step(1, 1, 0, Context.of(Rng.of(7)));
        int before = Parallel.threads();
        Parallel.setThreads(threads);
        try {
            Grads grads =
                    dropout.watching((batch, s) -> LossTerm.of(p.mul(a).sum(), 1))
                            .loss(0, step)
                            .sum()
                            .backward();
            return dropout.apply(grads, 1, step).get(p).toFloats();
        } finally {
            Parallel.setThreads(before);
        }
    }

    @Test
    void keepsEntriesAsOftenAsItShould() {
        int n = 100_000;
        Parameter p = new Parameter("p", Ops.zeros(n));
        double[][] cases = {{1, 1}, {1, -1}, {1, -3}, {2, -1}, {-1, 0.5}};
        for (double[] c : cases) {
            double probability = GradientDropout.keepProbability(c[0], c[1]);
            // Five standard deviations of a mean of 10⁵ draws are 0.008.
            for (double lambda : new double[] {1, 0.3}) {
                float[] g = dropped(p, lambda, c[0], c[1], 3, 1);
                double mean = IntStream.range(0, n).mapToDouble(i -> g[i]).sum() / n;
                double expected = ((1 - lambda) + lambda * probability) * c[0];
                assertThat(mean).isCloseTo(expected, within(0.008 * Math.abs(c[0])));
            }
        }
    }

    @Test
    void anyNumberOfThreadsDropsTheSame() {
        Parameter p = new Parameter("p", Ops.zeros(50_000));
        assertThat(dropped(p, 1, 1, -1, 1, 4)).isEqualTo(dropped(p, 1, 1, -1, 1, 1));
    }

    private static BatchSource<Batch> data() {
        var rows = new ArrayList<Example>();
        for (int i = 0; i < 8; i++) {
            rows.add(Example.of(TinyModel.ids(i).toInts()));
        }
        return BatchSource.of(Batches.of(rows).size(2));
    }

    private static Objective<Batch> divergence(CausalLM model, Adapter adapter) {
        return Distill.of(model, Teacher.adapterOff(model, adapter::enabled)).weights(0, 1);
    }

    /// Trains masks for some steps, and returns their scores; λ below 0 is training without dropout.
    private static List<float[]> trained(double lambda, int steps, int accumulation) {
        CausalLM model = TinyModel.create();
        Adapter adapter =
                new MaskTuning(0.01, 0.005, 0).attach(model, "**.self_attn.{q,k,v,o}_proj");
        Objective<Batch> plain = Objectives.nextToken(model);
        var optimizer = AdamW.of(model.trainable()).lr(2e-3).weightDecay(0);
        Trainer<Batch> trainer;
        if (lambda < 0) {
            trainer = Trainer.of(model, optimizer, plain);
        } else {
            var dropout =
                    new GradientDropout<>(
                            lambda, adapter.parameters().values(), divergence(model, adapter));
            trainer = Trainer.of(model, optimizer, dropout.watching(plain)).transform(dropout);
        }
        trainer.steps(steps).accumulation(accumulation).seed(3).run(data());
        return adapter.parameters().values().stream().map(Tensor::toFloats).toList();
    }

    private static void assertSame(List<float[]> a, List<float[]> b) {
        assertThat(a).hasSameSizeAs(b);
        for (int i = 0; i < a.size(); i++) {
            assertThat(a.get(i)).isEqualTo(b.get(i));
        }
    }

    @Test
    void withoutDropoutItIsPlainMaskTuning() {
        assertSame(trained(0, 5, 1), trained(-1, 5, 1));
    }

    @Test
    void nothingIsDroppedWhileTheStudentIsItsTeacher() {
        // In the first step all masks are on, and the divergence has no gradient.
        assertSame(trained(1, 1, 1), trained(-1, 1, 1));
        assertThat(trained(1, 6, 1).getFirst()).isNotEqualTo(trained(-1, 6, 1).getFirst());
    }

    @Test
    void sameSeedGivesTheSameMasksForAnyNumberOfThreads() {
        int before = Parallel.threads();
        try {
            Parallel.setThreads(1);
            List<float[]> alone = trained(1, 6, 2);
            Parallel.setThreads(4);
            assertSame(trained(1, 6, 2), alone);
        } finally {
            Parallel.setThreads(before);
        }
    }

    @Test
    void theDivergencesGradientIsZeroAtFirstButForRounding() {
        CausalLM model = TinyModel.create();
        Adapter adapter = MaskTuning.standard().attach(model, "**.q_proj");
        Batch batch = data().epoch(0).iterator().next();
        Grads grads =
                divergence(model, adapter)
                        .loss(batch, new Step(1, 1, 0, Context.of(Rng.of(1))))
                        .sum()
                        .backward();
        for (Parameter scores : adapter.parameters().values()) {
            assertThat(grads.get(scores).abs().max().item()).isLessThan(1e-6);
        }
    }

    @Test
    void whatCannotBeIsNamed() {
        assertThatThrownBy(() -> new GradientDropout<>(1.5, List.of(), NONE))
                .hasMessageContaining("lambda out of range");
        Parameter p = new Parameter("p", Ops.zeros(2));
        var dropout = new GradientDropout<>(1, List.of(p), NONE);
        Grads grads = p.sum().backward();
        assertThatThrownBy(() -> dropout.apply(grads, 1, new Step(1, 1, 0, Context.EMPTY)))
                .hasMessageContaining("the second loss was not computed");
    }
}
