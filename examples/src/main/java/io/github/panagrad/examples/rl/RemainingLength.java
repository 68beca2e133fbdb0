package io.github.panagrad.examples.rl;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.ValueCoding;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Asks a story model how much of a story is still to come: a head on its frozen states learns the
/// logarithm of the number of tokens left, by squared error or by classification into bins.
///
/// A reward model is a head of this kind: a number read off a language model's states. Stories are
/// parted into those that are learnt from and those that are asked about; both show the same places.
///
/// Source: in the manner of Farebrother et al. 2024, Stop Regressing, arXiv 2403.03950.
public final class RemainingLength {
    private static final int EVERY = 8;
    private static final int BATCH = 64;
    private static final double TESTED = 0.3;
    private static final int BINS = 51;

    private final Tensor train;
    private final double[] trainValues;
    private final Tensor test;
    private final double[] testValues;
    private final double highest;

    /// How well the numbers of the test stories are predicted.
    ///
    /// @param absoluteError the mean distance, in natural logarithms of tokens
    /// @param squaredError the mean square of it
    /// @param correlation Pearson's, of predicted and true numbers
    public record Result(double absoluteError, double squaredError, double correlation) {}

    private RemainingLength(Rows train, Rows test, double highest) {
        this.train = train.states();
        this.trainValues = train.values();
        this.test = test.states();
        this.testValues = test.values();
        this.highest = highest;
    }

    private record Rows(Tensor states, double[] values) {}

    /// Reads the states of stories.
    ///
    /// @param stories texts; those that do not fit the model's context are left out
    /// @param seed decides which are learnt from
    /// @throws PanagradException if there are fewer than four
    public static RemainingLength of(CausalLM model, List<String> stories, long seed) {
        if (stories.size() < 4) {
            throw new PanagradException(
                    "length", "too few stories", "" + stories.size(), "at least 4", "");
        }
        int[] order = new Rng.Draw(seed, 0).permutation(stories.size());
        int tested = Math.max(1, (int) (TESTED * order.length));
        Rows test = rows(model, stories, Arrays.copyOf(order, tested));
        Rows train = rows(model, stories, Arrays.copyOfRange(order, tested, order.length));
        double highest = Arrays.stream(train.values()).max().orElse(1);
        return new RemainingLength(train, test, highest);
    }

    private static Rows rows(CausalLM model, List<String> stories, int[] which) {
        var states = new ArrayList<Tensor>();
        var values = new ArrayList<Double>();
        model.training(false);
        for (int story : which) {
            int[] ids = model.tokenizer().encode(stories.get(story));
            int length = ids.length;
            int places = (length - 1) / EVERY;
            // Of a story that is too long the end is not seen.
            if (places == 0 || length > model.config().maxPositions()) {
                continue;
            }
            int[] at = new int[places];
            for (int i = 0; i < places; i++) {
                at[i] = (i + 1) * EVERY - 1;
                values.add(Math.log(length - 1 - at[i]));
            }
            states.add(
                    Ops.noGrad(() ->
                            Ops.scope(() -> {
                                Tensor hidden = model.hidden(Ops.indices(ids, 1, length));
                                return hidden.reshape(length, hidden.dim(-1))
                                        .indexSelect(0, Ops.indices(at, places));
                            })));
        }
        if (states.isEmpty()) {
            throw new PanagradException(
                    "length",
                    "no story of the right length",
                    "",
                    EVERY + " tokens to the model's context",
                    "");
        }
        return new Rows(
                Ops.concat(0, states.toArray(Tensor[]::new)),
                values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /// Reads a file of stories that each begin with “Once upon a time”; what comes before the first is
    /// left out.
    public static List<String> stories(Path file) {
        try {
            String[] parts = Files.readString(file).split("(?=Once upon a time)");
            return Arrays.stream(parts)
                    .map(String::strip)
                    .filter(text -> text.startsWith("Once upon a time"))
                    .toList();
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// Returns how many places are learnt from.
    public int size() {
        return trainValues.length;
    }

    /// Trains a head and asks it about the other stories.
    ///
    /// @param arm how the numbers are learnt; not C51, which needs what follows
    /// @param steps of 64 places each
    /// @param lr the learning rate at first; it falls to 0
    /// @param seed decides weights and batches
    public Result run(ValueArm arm, int steps, double lr, long seed) {
        if (arm == ValueArm.C51) {
            throw new PanagradException(
                    "length", "the arm learns from what follows", "C51", "another arm", "");
        }
        ValueCoding coding = arm.coding(0, highest, BINS, ValueArm.USUAL_SIGMA);
        Rng rng = Rng.of(seed);
        var head = new Linear(train.dim(1), coding.outputs(), rng);
        var optimizer = AdamW.of(head.trainable()).lr(lr).weightDecay(0.01);
        for (int step = 0; step < steps; step++) {
            optimizer.lrFactor(1 - (double) step / steps);
            Rng.Draw draw = rng.draw();
            Ops.scope(() -> learn(head, coding, optimizer, draw));
        }
        double[] predicted =
                Ops.noGrad(() -> Ops.scope(() -> coding.values(head.call(test)).toDoubles()));
        return compare(predicted);
    }

    private void learn(Linear head, ValueCoding coding, AdamW optimizer, Rng.Draw draw) {
        int[] rows = new int[BATCH];
        double[] wanted = new double[BATCH];
        for (int i = 0; i < BATCH; i++) {
            rows[i] = (int) (draw.uniform(i) * trainValues.length);
            wanted[i] = trainValues[rows[i]];
        }
        Tensor x = train.indexSelect(0, Ops.indices(rows, BATCH));
        optimizer.step(coding.loss(head.call(x), wanted).mean().backward());
    }

    private Result compare(double[] predicted) {
        int n = predicted.length;
        double absolute = 0;
        double squared = 0;
        double meanX = Arrays.stream(predicted).average().orElse(0);
        double meanY = Arrays.stream(testValues).average().orElse(0);
        double xx = 0;
        double yy = 0;
        double xy = 0;
        for (int i = 0; i < n; i++) {
            double off = predicted[i] - testValues[i];
            absolute += Math.abs(off) / n;
            squared += off * off / n;
            double x = predicted[i] - meanX;
            double y = testValues[i] - meanY;
            xx += x * x;
            yy += y * y;
            xy += x * y;
        }
        double spread = Math.sqrt(xx * yy);
        return new Result(absolute, squared, spread == 0 ? 0 : xy / spread);
    }
}
