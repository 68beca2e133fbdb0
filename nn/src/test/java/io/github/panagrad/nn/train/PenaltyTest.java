package io.github.panagrad.nn.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.optim.Sgd;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PenaltyTest {
    private static final class One extends Module {
        private final Parameter p = parameter("p", Ops.tensor(3.0));
    }

    /// The sum over `count` tokens of batch · p.
    private static Objective<Integer> objective(One model) {
        return (batch, step) ->
                new LossTerm(model.p.sum().mul(batch), batch, batch, Map.of("own", 1.0));
    }

    @Test
    void addsToTheMeanOnceHoweverManyBatchesAStepHas() {
        for (int accumulation : new int[] {1, 3}) {
            var model = new One();
            var losses = new ArrayList<StepMetrics>();
            Trainer.of(
                            model,
                            Sgd.of(model.trainable()).lr(0.1),
                            Penalty.on(
                                    objective(model), "square", 0.5, () -> model.p.square().sum()))
                    .steps(1)
                    .accumulation(accumulation)
                    .onStep(losses::add)
                    .run(epoch -> List.of(4, 1, 7));
            StepMetrics first = losses.getFirst();
            // The mean loss is p, its penalty p²/2: 3 + 4.5, with derivative 1 + 3.
            assertThat(first.loss()).isCloseTo(7.5, offset(1e-6));
            assertThat(first.report().get("square")).isCloseTo(9, offset(1e-6));
            assertThat(first.report().get("own")).isCloseTo(1, offset(1e-6));
            assertThat(model.p.toDoubles()[0]).isCloseTo(3 - 0.1 * 4, offset(1e-6));
        }
    }

    @Test
    void leavesInvarianceAsItIs() {
        var model = new One();
        Objective<Integer> rows =
                new Objective<>() {
                    @Override
                    public LossTerm loss(Integer batch, Step step) {
                        return objective(model).loss(batch, step);
                    }

                    @Override
                    public boolean isAccumulationInvariant() {
                        return false;
                    }
                };
        Objective<Integer> more = Penalty.on(rows, "zero", 0, () -> model.p.square().sum());
        assertThat(more.isAccumulationInvariant()).isFalse();
        assertThat(Penalty.on(objective(model), "a", 1, model.p::sum).isAccumulationInvariant())
                .isTrue();
        assertThat(more.loss(2, new Step(1, 1, 0, Context.EMPTY)).sum().item())
                .isCloseTo(6, offset(1e-6));
    }
}
