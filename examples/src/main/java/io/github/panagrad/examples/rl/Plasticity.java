package io.github.panagrad.examples.rl;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.ValueCoding;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.optim.AdamW;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/// Asks whether a network still learns after its targets have moved away from zero: the same network
/// is to follow sin(10⁵·f(x)) + b for one random network f after another, with b = 0, 8, 16, 24, 32.
///
/// Source: Farebrother et al. 2024, Stop Regressing, arXiv 2403.03950, section 5.2.3, in small.
///
/// @param images the inputs x, F32 (N, width)
/// @param arm how the numbers are learnt; not C51, which needs what follows
/// @param steps how many steps each phase has
/// @param seed decides weights and batches
public record Plasticity(Tensor images, ValueArm arm, int steps, long seed) {
    private static final int BATCH = 128;
    private static final int HIDDEN = 128;
    private static final int BINS = 101;
    private static final double RANGE = 40;
    private static final double FREQUENCY = 1e5;
    private static final double[] SHIFTS = {0, 8, 16, 24, 32};
    private static final int EVALUATED = 2000;

    /// Checks the arm.
    public Plasticity {
        if (arm == ValueArm.C51) {
            throw new PanagradException(
                    "plasticity", "the arm learns from what follows", "C51", "another arm", "");
        }
    }

    /// Returns the shifts b of the phases.
    public static double[] shifts() {
        return SHIFTS.clone();
    }

    /// Returns the mean squared error at the end of each phase.
    public double[] run() {
        var rng = Rng.of(seed);
        ValueCoding coding = arm.coding(-RANGE, RANGE, BINS);
        int width = images.dim(1);
        var network = new Mlp(rng, width, HIDDEN, HIDDEN, coding.outputs());
        var optimizer = AdamW.of(network.trainable()).lr(1e-3).weightDecay(0);
        double[] errors = new double[SHIFTS.length];
        for (int phase = 0; phase < SHIFTS.length; phase++) {
            double[] targets = targets(new Mlp(rng, width, HIDDEN, HIDDEN, 1), SHIFTS[phase]);
            for (int step = 0; step < steps; step++) {
                Rng.Draw draw = rng.draw();
                Ops.scope(() -> learn(network, coding, optimizer, targets, draw));
            }
            errors[phase] = error(network, coding, targets);
        }
        return errors;
    }

    private double[] targets(Mlp other, double shift) {
        double[] f = Ops.noGrad(() -> Ops.scope(() -> other.call(images).toDoubles()));
        return Arrays.stream(f).map(x -> Math.sin(FREQUENCY * x) + shift).toArray();
    }

    private void learn(
            Mlp network, ValueCoding coding, AdamW optimizer, double[] targets, Rng.Draw draw) {
        int[] rows = new int[BATCH];
        double[] wanted = new double[BATCH];
        for (int i = 0; i < BATCH; i++) {
            rows[i] = (int) (draw.uniform(i) * targets.length);
            wanted[i] = targets[rows[i]];
        }
        Tensor x = images.indexSelect(0, Ops.indices(rows, BATCH));
        optimizer.step(coding.loss(network.call(x), wanted).mean().backward());
    }

    private double error(Mlp network, ValueCoding coding, double[] targets) {
        int rows = Math.min(EVALUATED, targets.length);
        double[] predicted =
                Ops.noGrad(() ->
                        Ops.scope(() ->
                                coding.values(network.call(images.narrow(0, 0, rows)))
                                        .toDoubles()));
        double sum = 0;
        for (int i = 0; i < rows; i++) {
            sum += (predicted[i] - targets[i]) * (predicted[i] - targets[i]);
        }
        return sum / rows;
    }

    /// Reads images from a packed file of MNIST's format, with brightnesses from 0 to 1.
    ///
    /// Shapes: → (N, height·width).
    ///
    /// @throws PanagradException if it cannot be read or is none
    public static Tensor readImages(Path file) {
        try (var in = new DataInputStream(new GZIPInputStream(Files.newInputStream(file)))) {
            int magic = in.readInt();
            if (magic != 0x803) {
                throw new PanagradException(
                        file.toString(), "not images", "magic number " + magic, "2051", "");
            }
            int count = in.readInt();
            int size = in.readInt() * in.readInt();
            byte[] bytes = in.readNBytes(count * size);
            float[] values = new float[count * size];
            for (int i = 0; i < values.length; i++) {
                values[i] = (bytes[i] & 0xFF) / 255f;
            }
            return Ops.tensor(values, count, size);
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
