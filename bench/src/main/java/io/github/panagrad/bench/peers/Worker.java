package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/// What a child process does: prepares the sides of some cases, compares their results, times them.
///
/// Prints a line a fact, fields between tabs: `CHECK case side difference`, `TIMES case side ns,ns…`,
/// `BYTES case side bytes`, `BUILD side build`. A difference beyond the case's tolerance ends the
/// process.
@CommandLine.Command(name = "worker")
public final class Worker implements Runnable {
    private static final int DIGEST = 1 << 20;

    @Option(names = "--cases", split = ",")
    List<String> cases = new ArrayList<>();

    @Option(names = "--sides", split = ",")
    List<String> sides = new ArrayList<>();

    @Option(names = "--threads")
    int threads = 2;

    @Option(names = "--warmup")
    long warmup = 500;

    @Option(names = "--millis")
    long millis = 1000;

    @Option(names = "--rounds")
    int rounds = 15;

    @Option(names = "--memory", description = "Report bytes after some runs instead of times.")
    boolean memory;

    @Option(names = "--save", description = "Where results are left for a later process.")
    Path save;

    @Option(names = "--against", description = "Where an earlier process left results.")
    Path against;

    /// Runs what the arguments say.
    public static void main(String[] args) {
        int status =
                new CommandLine(new Worker())
                        .setExecutionExceptionHandler((e, line, parsed) -> {
                            if (e instanceof PanagradException) {
                                System.err.println(e.getMessage());
                            } else {
                                e.printStackTrace();
                            }
                            return 1;
                        })
                        .execute(args);
        System.out.flush();
        // Without waiting for the threads of a peer's pool.
        Runtime.getRuntime().halt(status);
    }

    @Override
    public void run() {
        List<Sides> libraries = sides.stream().map(Worker::library).toList();
        libraries.forEach(library -> say("BUILD", library.name(), library.build()));
        List<Case> all = Cases.all(threads);
        for (String name : cases) {
            List<Case> rows = all.stream().filter(c -> c.name().equals(name)).toList();
            try {
                run(rows, libraries);
            } catch (PanagradException e) {
                if (memory) {
                    throw e;
                }
                // The row is left out, loudly; the others are still wanted.
                System.err.println("FAILED " + e.getMessage());
            }
        }
    }

    /// Returns the peers that this jar was built with; none if it was built without the profile.
    static List<Sides> peers() {
        try {
            return ServiceLoader.load(Sides.class).stream()
                    .map(ServiceLoader.Provider::get)
                    .toList();
        } catch (ServiceConfigurationError e) {
            // A list of peers left over from a build with the profile, whose classes are gone.
            return List.of();
        }
    }

    private static Sides library(String name) {
        if (name.equals(OwnSides.NAME)) {
            return new OwnSides();
        }
        if (name.equals(OwnF32.NAME)) {
            return new OwnF32();
        }
        return peers().stream()
                .filter(library -> library.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new PanagradException("peers", "no such library", name, "", ""));
    }

    private void run(List<Case> rows, List<Sides> libraries) {
        Case any = rows.getFirst();
        if (memory) {
            libraries.forEach(
                    library -> say("BYTES", any.name(), library.name(), bytes(library, any)));
            return;
        }
        Map<String, Side> open = new LinkedHashMap<>();
        for (Sides library : libraries) {
            String name = library.name();
            boolean wanted =
                    name.equals(OwnSides.NAME)
                            || rows.stream().anyMatch(c -> c.peer().equals(name));
            if (wanted) {
                Side side = library.open(any.problem(), any.threads());
                if (side == null) {
                    throw new PanagradException(
                            "peers", name + " has no such side", any.name(), "", "");
                }
                open.put(name, side);
            }
        }
        compare(any, open);
        double[][] times = new Turns(warmup, millis, rounds).time(List.copyOf(open.values()));
        int i = 0;
        for (String name : open.keySet()) {
            String list =
                    DoubleStream.of(times[i++])
                            .mapToObj(t -> "%.0f".formatted(t))
                            .collect(Collectors.joining(","));
            say("TIMES", any.name(), name, list);
        }
        open.values().forEach(Side::close);
    }

    /// Measures a memory row: a step with all that it works on, a function beside its inputs.
    private static long bytes(Sides library, Case row) {
        library.load();
        long before = ResidentMemory.now();
        Side side = library.open(row.problem(), row.threads());
        if (side == null) {
            throw new PanagradException(
                    "peers", library.name() + " has no such side", row.name(), "", "");
        }
        if (!(row.problem() instanceof Problem.Step)) {
            return side.extraBytes();
        }
        try {
            for (int i = 0; i < 3; i++) {
                side.run();
            }
        } catch (OutOfMemoryError e) {
            long heap = Runtime.getRuntime().maxMemory() >> 20;
            throw new PanagradException(
                    "peers",
                    "a heap of " + heap + " MB is too small, trying larger ones",
                    row.name(),
                    "",
                    "");
        }
        return ResidentMemory.peak() - before;
    }

    private void compare(Case row, Map<String, Side> open) {
        Map<String, List<float[]>> digests = new LinkedHashMap<>();
        open.forEach((name, side) ->
                digests.put(name, side.results().stream().map(Worker::digest).toList()));
        List<float[]> ours = digests.get(OwnSides.NAME);
        String file = row.name().replace('/', '_');
        digests.forEach((name, digest) -> {
            if (ours != null && digest != ours) {
                check(row, name, ours, digest);
            }
            if (save != null) {
                write(save.resolve(file), digest);
            }
        });
        if (against != null && ours != null) {
            check(row, row.peer(), ours, read(against.resolve(file)));
        }
    }

    private static void check(Case row, String peer, List<float[]> ours, List<float[]> theirs) {
        double worst = ours.size() == theirs.size() ? 0 : Double.POSITIVE_INFINITY;
        var each = new ArrayList<String>();
        for (int i = 0; i < Math.min(ours.size(), theirs.size()); i++) {
            double difference = Statistics.difference(ours.get(i), theirs.get(i));
            each.add("%.1e".formatted(difference));
            worst = Math.max(worst, difference);
        }
        say("CHECK", row.name(), peer, worst);
        if (!(worst <= row.tolerance())) {
            throw new PanagradException(
                    "peers",
                    "results differ, so nothing is timed",
                    row.name() + ", ours against " + peer + ": " + each,
                    "at most " + row.tolerance(),
                    "");
        }
    }

    /// Copies a result, long ones thinned.
    private static float[] digest(float[] values) {
        int stride = values.length / DIGEST + 1;
        float[] kept = new float[values.length / stride];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = values[i * stride];
        }
        return kept;
    }

    private static void write(Path file, List<float[]> arrays) {
        try (var out =
                new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            out.writeInt(arrays.size());
            for (float[] array : arrays) {
                out.writeInt(array.length);
                ByteBuffer bytes = ByteBuffer.allocate(4 * array.length);
                bytes.asFloatBuffer().put(array);
                out.write(bytes.array());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<float[]> read(Path file) {
        try (var channel = FileChannel.open(file);
                var in = new DataInputStream(Channels.newInputStream(channel))) {
            var arrays = new ArrayList<float[]>();
            for (int n = in.readInt(); n > 0; n--) {
                float[] array = new float[in.readInt()];
                ByteBuffer.wrap(in.readNBytes(4 * array.length)).asFloatBuffer().get(array);
                arrays.add(array);
            }
            return arrays;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void say(Object... fields) {
        System.out.println(
                java.util.Arrays.stream(fields)
                        .map(String::valueOf)
                        .collect(Collectors.joining("\t")));
    }
}
