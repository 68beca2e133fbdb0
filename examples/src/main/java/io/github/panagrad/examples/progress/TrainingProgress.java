package io.github.panagrad.examples.progress;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// Shows how far training is, with its loss and speed: a moving bar on a terminal, a line now and
/// then anywhere else.
public abstract sealed class TrainingProgress implements AutoCloseable {
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(15);
    private static final int LINES = 10;
    private static final int REDRAW_MILLIS = 250;

    private final String unit;
    private double smoothedSpeed;

    private TrainingProgress(String unit) {
        this.unit = unit;
    }

    /// Starts to show progress on standard error.
    ///
    /// @param task what is done, in a word or two
    /// @param steps how many steps there will be
    /// @param unit what the speed counts, such as tokens
    public static TrainingProgress start(String task, long steps, String unit) {
        // The launcher looked at the real standard error; here it is a pipe.
        return Boolean.getBoolean("panagrad.terminal")
                ? new Bar(task, steps, unit, System.err)
                : new Lines(task, steps, unit, System.err, System::nanoTime);
    }

    /// Shows that a step is done.
    ///
    /// @param step its number, from 1
    /// @param loss its loss
    /// @param speed its speed, in units a second
    public final void step(long step, double loss, double speed) {
        smoothedSpeed = smoothedSpeed == 0 ? speed : 0.8 * smoothedSpeed + 0.2 * speed;
        show(step, String.format(Locale.ROOT, "loss %.3f, %,.0f %s/s", loss, smoothedSpeed, unit));
    }

    abstract void show(long step, String figures);

    /// Prints a line of its own, above the bar where there is one.
    public abstract void note(String line);

    /// Ends the display.
    @Override
    public abstract void close();

    /// A moving bar.
    private static final class Bar extends TrainingProgress {
        private final PrintStream stream;
        private final ProgressBar bar;

        Bar(String task, long steps, String unit, PrintStream stream) {
            super(unit);
            this.stream = stream;
            bar =
                    new ProgressBarBuilder()
                            .setTaskName(task)
                            .setInitialMax(steps)
                            .setStyle(ProgressBarStyle.ASCII)
                            .setUpdateIntervalMillis(REDRAW_MILLIS)
                            .setConsumer(new ConsoleProgressBarConsumer(stream))
                            .build();
        }

        @Override
        void show(long step, String figures) {
            bar.setExtraMessage(" " + figures);
            bar.stepTo(step);
        }

        @Override
        public void note(String line) {
            // \33[K clears what the bar leaves of the line
            stream.print("\r\33[K" + line + System.lineSeparator());
            bar.refresh();
        }

        @Override
        public void close() {
            bar.close();
        }
    }

    /// A line now and then: for every tenth of the way, and at least every quarter of a minute.
    static final class Lines extends TrainingProgress {
        private final String task;
        private final long steps;
        private final PrintStream stream;
        private final LongSupplier nanoTime;
        private long lastTime;
        private long lastTenth;
        private String unsaid = "";

        Lines(String task, long steps, String unit, PrintStream stream, LongSupplier nanoTime) {
            super(unit);
            this.task = task;
            this.steps = steps;
            this.stream = stream;
            this.nanoTime = nanoTime;
            lastTime = nanoTime.getAsLong();
        }

        @Override
        void show(long step, String figures) {
            unsaid = "%s: step %d of %d, %s".formatted(task, step, steps, figures);
            long tenth = step * LINES / Math.max(1, steps);
            long now = nanoTime.getAsLong();
            if (step == 1 || tenth > lastTenth || now - lastTime >= BETWEEN_LINES.toNanos()) {
                say();
                lastTenth = tenth;
                lastTime = now;
            }
        }

        private void say() {
            if (!unsaid.isEmpty()) {
                stream.println(unsaid);
                unsaid = "";
            }
        }

        @Override
        public void note(String line) {
            stream.println(line);
        }

        @Override
        public void close() {
            say();
        }
    }
}
