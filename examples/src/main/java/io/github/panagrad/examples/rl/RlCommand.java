package io.github.panagrad.examples.rl;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.metrics.Spread;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Learns to act in a small world by a deep Q-network.
@Command(
        name = "rl",
        description =
                "Learns to act in a small world by a deep Q-network, and prints the mean return of the"
                        + " last 20 episodes, without noise, of each seed.")
public final class RlCommand implements Runnable {
    private static final int LAST = 20;
    private static final int CHAIN = 6;

    @Spec private CommandSpec spec;

    @Option(
            names = "--env",
            defaultValue = "cartpole",
            paramLabel = "NAME",
            description = "The world: cartpole or chain. Default: ${DEFAULT-VALUE}.")
    private String environment;

    @Option(
            names = "--value",
            defaultValue = "hl-gauss",
            paramLabel = "NAME[:KEY=VALUE,…]",
            description = {
                "How values are learnt: mse; or by bins, two-hot, hl-gauss and c51, with the settings"
                        + " min, max, bins and, for hl-gauss, sigma.",
                "Default: ${DEFAULT-VALUE}, which is hl-gauss:min=0,max=200,bins=51,sigma=0.75."
            })
    private String value;

    @Option(
            names = "--steps",
            defaultValue = "20000",
            paramLabel = "N",
            description = "Actions taken. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--noise",
            defaultValue = "0",
            paramLabel = "X",
            description = "Deviation of what is added to rewards. Default: ${DEFAULT-VALUE}.")
    private double noise;

    @Option(
            names = "--seeds",
            defaultValue = "2",
            paramLabel = "N",
            description = "Runs, each with a seed of its own. Default: ${DEFAULT-VALUE}.")
    private int seeds;

    @Option(names = "--json", description = "Print the figures as JSON and nothing else.")
    private boolean json;

    RlCommand() {}

    @Override
    public void run() {
        ValueHead head = ValueHead.CATALOG.make(value);
        if (steps < 1 || seeds < 1) {
            throw new PanagradException(
                    "rl",
                    "nothing to do",
                    steps + " steps, " + seeds + " seeds",
                    "at least 1 of each",
                    "");
        }
        var out = spec.commandLine().getOut();
        double[] means = new double[seeds];
        for (int seed = 0; seed < seeds; seed++) {
            var result =
                    new Dqn(world(seed), Dqn.Settings.of(head.arm(), steps, seed).head(head)).run();
            means[seed] = result.lastMean(LAST);
            if (!json) {
                out.printf(
                        Locale.ROOT,
                        "seed %d: %.1f over the last %d of %d episodes%n",
                        seed,
                        means[seed],
                        Math.min(LAST, result.returns().size()),
                        result.returns().size());
                out.flush();
            }
        }
        Spread spread = Spread.of(means);
        if (json) {
            out.println(
                    JsonObject.of(
                            "env", environment,
                            "value", value,
                            "noise", noise,
                            "mean", spread.mean(),
                            "sd", spread.sd(),
                            "seeds", seeds));
        } else {
            out.printf(Locale.ROOT, "%s, %s, noise %s: %s%n", environment, value, noise, spread);
        }
    }

    private Environment world(long seed) {
        return switch (environment) {
            case "cartpole" -> new CartPole(noise, seed);
            case "chain" -> new NoisyChain(CHAIN, noise, seed);
            default ->
                    throw new PanagradException(
                            "--env", "no such world", environment, "cartpole or chain", "");
        };
    }
}
