package io.github.panagrad.examples.tuning;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Lets a run end well on Ctrl-C: it is told, and the process waits until it has saved what it has.
///
/// The JVM itself then ends the process, with the exit code of the signal: 130 for Ctrl-C.
public final class Interrupt implements AutoCloseable, BooleanSupplier {
    private static final long PATIENCE_SECONDS = 120;

    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread hook = new Thread(this::interrupted, "interrupt");
    private volatile boolean raised;

    private Interrupt() {}

    /// Starts to listen.
    public static Interrupt listen() {
        var interrupt = new Interrupt();
        Runtime.getRuntime().addShutdownHook(interrupt.hook);
        return interrupt;
    }

    private void interrupted() {
        raised = true;
        try {
            boolean saved = closed.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (!saved) {
                System.err.println(
                        "panagrad: the step did not end within "
                                + PATIENCE_SECONDS
                                + " s; it is not saved");
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /// Tells whether the process has been asked to end.
    @Override
    public boolean getAsBoolean() {
        return raised;
    }

    /// Ends the listening; a process that waits goes on to end.
    @Override
    public void close() {
        closed.countDown();
        if (!raised) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException endsAnyway) {
                // the signal came in between
            }
        }
    }
}
