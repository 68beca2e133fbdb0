package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExampleCommandTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "mse",
                "two-hot:min=-5,max=15",
                "hl-gauss:min=-5,max=15,bins=31,sigma=1",
                "c51:bins=11"
            })
    void learnsToActInTheWayThatIsNamed(String value) {
        var run =
                CommandLineRun.of(
                        "example", "rl", "--env", "chain", "--value", value, "--steps", 540,
                        "--seeds", 2);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out().lines()).hasSize(3);
        assertThat(run.out()).contains("seed 0: ", "seed 1: ", "chain, " + value + ", noise 0.0: ");
    }

    @Test
    void balancesAPoleAndSaysSoAsJson() {
        var run =
                CommandLineRun.of(
                        "example", "rl", "--steps", 540, "--seeds", 1, "--noise", 1, "--json");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("\"env\":\"cartpole\"", "\"seeds\":1", "\"mean\":");
    }

    @Test
    void saysWhatIsWrong() {
        var none = CommandLineRun.of("example", "rl", "--env", "moon");
        assertThat(none.code()).isEqualTo(2);
        assertThat(none.err()).contains("no such world").contains("cartpole or chain");
        assertThat(CommandLineRun.of("example", "rl", "--value", "hl-gauss:max=-1").err())
                .contains("no range to cut");
        assertThat(CommandLineRun.of("example", "rl", "--value", "mse:bins=3").err())
                .contains("no such setting");
        assertThat(CommandLineRun.of("example", "rl", "--steps", 0).err())
                .contains("at least 1 of each");
        assertThat(CommandLineRun.of("example").out()).contains("rl", "length");
    }

    @Test
    void comparesHeadsOnAStoryModel() {
        var run =
                CommandLineRun.of(
                        "example",
                        "length",
                        "--model",
                        Assets.require("models/stories260k"),
                        "--data",
                        Assets.require("datasets/tinystories/sample.txt"),
                        "--steps",
                        100,
                        "--seeds",
                        1);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("mse ", "two-hot ", "hl-gauss ", "85 stories");
    }
}
