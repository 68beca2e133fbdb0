package io.github.panagrad.examples.demo;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// One or more methods beside a plain arm, on the same data, steps and seeds, and what this is to show.
///
/// A demonstration is data and arms over public parts of the library; its figures and verdicts come out
/// of runs.
public interface Demonstration {
    /// Returns its name, such as `label-noise`.
    String name();

    /// Returns what it shows: names that `finetune` knows, or classes of the library.
    List<String> shows();

    /// Returns which model learns what from which data, and how that is measured.
    String setting();

    /// Returns what is to be shown.
    List<Claim> claims();

    /// Returns how many seeds give figures that can be judged, in a few minutes.
    int usualSeeds();

    /// Trains and measures all arms once, the plain one first.
    void measure(Trial trial, Recorder figures);

    /// Takes the figures of a run.
    @FunctionalInterface
    interface Recorder {
        /// Takes one figure; arms and measures keep the order in which they come first.
        void add(String arm, String measure, double value);
    }

    /// Runs all arms with one seed after another.
    ///
    /// @param assets the folder with `models` and `datasets`
    /// @param seeds how many seeds, from 0
    /// @param progress told after each seed
    default Outcome run(Path assets, int seeds, Consumer<String> progress) {
        Map<String, Map<String, double[]>> arms = new LinkedHashMap<>();
        long started = System.nanoTime();
        for (int i = 0; i < seeds; i++) {
            int seed = i;
            measure(
                    Trial.of(assets, seed),
                    (arm, measure, value) ->
                            arms.computeIfAbsent(arm, a -> new LinkedHashMap<>())
                                            .computeIfAbsent(measure, m -> Outcome.none(seeds))[
                                            seed] =
                                    value);
            long seconds = Math.round((System.nanoTime() - started) * 1e-9);
            progress.accept(name() + ": " + (i + 1) + " of " + seeds + " seeds, " + seconds + " s");
        }
        return new Outcome(name(), seeds, arms);
    }
}
