package io.github.panagrad.nn.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ScheduleTest {
    private static void at(Schedule schedule, long step, double expected) {
        assertThat(schedule.at(step, 100)).as("step " + step).isCloseTo(expected, within(1e-12));
    }

    @Test
    void constantStays() {
        at(Schedule.constant(), 0, 1);
        at(Schedule.constant(), 99, 1);
        assertThat(Schedule.constant().at(5, 0)).isEqualTo(1);
    }

    @Test
    void linearFalls() {
        at(Schedule.linear(), 0, 1);
        at(Schedule.linear(), 25, 0.75);
        at(Schedule.linear(), 99, 0.01);
        at(Schedule.linear(), 200, 0);
    }

    @Test
    void cosineFalls() {
        at(Schedule.cosine(), 0, 1);
        at(Schedule.cosine(), 50, 0.5);
        at(Schedule.cosine(), 25, 0.5 * (1 + Math.sqrt(0.5)));
        at(Schedule.cosine(0.1), 50, 0.55);
        at(Schedule.cosine(0.1), 100, 0.1);
    }

    @Test
    void warmUpRisesFirst() {
        var schedule = Schedule.linear().warmup(10);
        at(schedule, 0, 0.1);
        at(schedule, 4, 0.5);
        at(schedule, 9, 1);
        at(schedule, 10, 1);
        at(schedule, 55, 0.5);
        at(Schedule.constant().warmup(4), 1, 0.5);
        at(Schedule.constant().warmup(0), 0, 1);
        at(Schedule.cosine().warmupShare(0.1), 4, 0.5);
    }

    @Test
    void fallingNeedsAnEnd() {
        assertThatThrownBy(() -> Schedule.cosine().at(3, 0))
                .hasMessageContaining("falls over the whole run and its length is not known");
        assertThatThrownBy(() -> Schedule.linear().warmup(-1))
                .hasMessageContaining("negative warm-up");
    }
}
