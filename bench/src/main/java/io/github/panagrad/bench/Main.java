package io.github.panagrad.bench;

import io.github.panagrad.bench.device.DeviceCommand;
import io.github.panagrad.bench.peers.GrowthCommand;
import io.github.panagrad.bench.peers.PeersCommand;
import io.github.panagrad.bench.peers.ReportCommand;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;

/// Starts what the jar can do: runs beside peers, growth and report by name, JMH for all other arguments.
public final class Main {
    private static final Map<String, Supplier<Callable<Integer>>> COMMANDS =
            Map.of(
                    "device", DeviceCommand::new,
                    "peers", PeersCommand::new,
                    "growth", GrowthCommand::new,
                    "report", ReportCommand::new);

    private Main() {}

    /// Runs the command that the first argument names.
    public static void main(String[] args) throws Exception {
        Supplier<Callable<Integer>> command = args.length == 0 ? null : COMMANDS.get(args[0]);
        if (command == null) {
            org.openjdk.jmh.Main.main(args);
            return;
        }
        String[] rest = Arrays.copyOfRange(args, 1, args.length);
        System.exit(new CommandLine(command.get()).execute(rest));
    }
}
