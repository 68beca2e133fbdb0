package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.ContrastiveLosses;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProjectionQueueTest {
    private final BertClassifier model = Encoders.classifier();

    private ContrastiveClassifier objective(ProjectionQueue queue) {
        return ContrastiveClassifier.attach(model, 8, SupConOptions.DEFAULT, Ramp.constant(1), 2)
                .queue(queue);
    }

    @Test
    void theOldestRowsGiveWay() {
        var queue = new ProjectionQueue(3);
        queue.push(Ops.tensor(new float[] {1, 2, 3, 4}, 2, 2), new int[] {5, 6});
        assertThat(queue.size()).isEqualTo(2);
        queue.push(Ops.tensor(new float[] {7, 8, 9, 10}, 2, 2), new int[] {7, 8});
        assertThat(queue.labels()).containsExactly(8, 6, 7);
        assertThat(queue.rows(Ops.zeros(1)).toFloats()).containsExactly(9, 10, 3, 4, 7, 8);
        var other = new ProjectionQueue(3);
        other.load(queue.state());
        other.push(Ops.tensor(new float[] {0, 0}, 1, 2), new int[] {9});
        assertThat(other.labels()).containsExactly(8, 9, 7);
        other.load(Map.of());
        assertThat(other.size()).isZero();
    }

    @Test
    void rowsWithoutACompanionFindOneInTheQueue() {
        var queue = new ProjectionQueue(16);
        var objective = objective(queue);
        // No class twice in the batch, and nothing in the queue yet.
        LossTerm first = objective.loss(Encoders.batch(0, 1, 2), Encoders.step(1, 10));
        assertThat(first.report()).doesNotContainKey("contrast");
        assertThat(queue.size()).isEqualTo(3);
        Labelled batch = Encoders.batch(2, 0);
        LossTerm second = objective.loss(batch, Encoders.step(2, 10));

        // By hand: the batch's rows with those of the queue, of which none is an anchor.
        var projector = (Mlp) model.module("projector");
        Tensor own = projector.call(model.features(batch.input(), Context.EMPTY)).detach();
        Tensor then =
                projector
                        .call(model.features(Encoders.batch(0, 1, 2).input(), Context.EMPTY))
                        .detach();
        boolean[][] positives = new boolean[5][5];
        positives[0][4] = true;
        positives[1][2] = true;
        double expected =
                ContrastiveLosses.supCon(Ops.concat(0, own, then), positives, SupConOptions.DEFAULT)
                        .item();
        assertThat(second.report().get("contrast")).isCloseTo(expected, offset(1e-5));
        Encoders.assertAllLearn(model, second.sum().backward());
    }

    @Test
    void theObjectiveRemembersIt() {
        var queue = new ProjectionQueue(4);
        var objective = objective(queue);
        objective.loss(Encoders.batch(0, 1, 2), Encoders.step(1, 10));
        var state = objective.state();
        var fresh = new ProjectionQueue(4);
        var model2 = Encoders.classifier();
        var other =
                ContrastiveClassifier.attach(model2, 8, SupConOptions.DEFAULT, Ramp.constant(1), 2)
                        .queue(fresh);
        other.load(state);
        assertThat(fresh.labels()).containsExactly(0, 1, 2);
        assertThat(fresh.rows(Ops.zeros(1)).toFloats())
                .isEqualTo(queue.rows(Ops.zeros(1)).toFloats());
        assertThatThrownBy(() -> new ProjectionQueue(2).load(state))
                .hasMessageContaining("at most 2 rows");
        assertThatThrownBy(() -> new ProjectionQueue(0)).hasMessageContaining("at least 1");
        var plain =
                ContrastiveClassifier.attach(
                        Encoders.classifier(), 8, SupConOptions.DEFAULT, Ramp.constant(1), 2);
        assertThat(plain.state()).isEmpty();
        assertThatThrownBy(() -> plain.load(state)).hasMessageContaining("another objective");
    }
}
