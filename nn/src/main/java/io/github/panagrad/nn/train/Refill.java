package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.StreamSupport;

/// Batches of the examples that still have something to teach, filled up with others of that kind: an
/// example whose last known weight is too small is passed over.
///
/// Weights change while the model trains, so all examples come again every few epochs, and when none
/// is left. Which examples an epoch has is settled when it is first asked for. An objective that is
/// [Objective#remembering] this goes on with the same batches after a stop.
///
/// Source: DCO, arXiv 2502.07154, of which batches without signal are refilled.
///
/// ```java
/// var source = new Refill(examples, 0.05, 4, b -> b.size(8).shuffled(seed));
/// var objective =
///         DirectCoverage.of(model, 256)
///                 .onWeight((s, w) -> source.know(s.example(), w))
///                 .remembering("refill", source);
/// ```
public final class Refill implements BatchSource<Batch>, Memory {
    private static final String WEIGHTS = "weights";
    private static final String CHOSEN = "chosen";
    private static final String EPOCH = "epoch";

    private final List<Example> examples;
    private final double threshold;
    private final int recall;
    private final UnaryOperator<Batches> layout;
    private final double[] weights;
    private final boolean[] chosen;
    private int chosenFor = -1;

    /// Creates a source in which all examples count.
    ///
    /// @param threshold examples with a smaller weight are passed over; 0.05 is our choice
    /// @param recall after how many epochs all come again; 0 for never
    /// @param layout sets size, order and packing
    public Refill(
            List<Example> examples, double threshold, int recall, UnaryOperator<Batches> layout) {
        if (!(threshold >= 0) || recall < 0) {
            throw new PanagradException(
                    "refill",
                    "out of range",
                    "threshold " + threshold + ", recall " + recall,
                    "at least 0",
                    "");
        }
        this.examples = List.copyOf(examples);
        this.threshold = threshold;
        this.recall = recall;
        this.layout = layout;
        this.weights = new double[examples.size()];
        this.chosen = new boolean[weights.length];
        Arrays.fill(weights, Double.POSITIVE_INFINITY);
    }

    /// Takes note of an example's weight.
    ///
    /// @param example its number in the data
    public void know(int example, double weight) {
        weights[example] = weight;
    }

    /// Returns how many examples have something to teach.
    public int live() {
        return (int) Arrays.stream(weights).filter(w -> w >= threshold).count();
    }

    /// Returns batches of the examples that counted when the epoch was first asked for.
    @Override
    public Iterable<Batch> epoch(int epoch) {
        if (epoch != chosenFor) {
            choose(epoch);
        }
        var numbers = new ArrayList<Integer>();
        for (int i = 0; i < chosen.length; i++) {
            if (chosen[i]) {
                numbers.add(i);
            }
        }
        Batches batches = layout.apply(Batches.of(numbers.stream().map(examples::get).toList()));
        Iterable<Batch> laidOut = BatchSource.of(batches).epoch(epoch);
        return () ->
                StreamSupport.stream(laidOut.spliterator(), false)
                        .map(batch -> numbered(batch, numbers))
                        .iterator();
    }

    private void choose(int epoch) {
        boolean all = live() == 0 || (recall > 0 && epoch % recall == 0);
        for (int i = 0; i < weights.length; i++) {
            chosen[i] = all || weights[i] >= threshold;
        }
        chosenFor = epoch;
    }

    /// Returns the weights, and which examples the current epoch has.
    @Override
    public Map<String, Tensor> state() {
        double[] marks = new double[chosen.length];
        for (int i = 0; i < marks.length; i++) {
            marks[i] = chosen[i] ? 1 : 0;
        }
        return Map.of(
                WEIGHTS,
                Ops.tensor64(weights.clone(), weights.length),
                CHOSEN,
                Ops.tensor64(marks, marks.length),
                EPOCH,
                Ops.tensor64(new double[] {chosenFor}, 1));
    }

    @Override
    public void load(Map<String, Tensor> state) {
        double[] known = vector(state, WEIGHTS, weights.length);
        double[] marks = vector(state, CHOSEN, weights.length);
        System.arraycopy(known, 0, weights, 0, weights.length);
        for (int i = 0; i < marks.length; i++) {
            chosen[i] = marks[i] != 0;
        }
        chosenFor = (int) vector(state, EPOCH, 1)[0];
    }

    private static double[] vector(Map<String, Tensor> state, String name, int length) {
        Tensor found = state.get(name);
        if (found == null || found.size() != length) {
            throw new PanagradException(
                    "refill",
                    name + " of other data",
                    found == null ? "none" : found.spec().toString(),
                    length + " numbers",
                    "resume with the data that the run began with");
        }
        return found.toDoubles();
    }

    /// Gives sequences the numbers that their examples have in all of the data.
    private static Batch numbered(Batch batch, List<Integer> numbers) {
        var sequences =
                batch.sequences().stream()
                        .map(s ->
                                new Batch.Sequence(
                                        s.row(),
                                        s.start(),
                                        s.length(),
                                        numbers.get(s.example()),
                                        s.tag()))
                        .toList();
        return new Batch(
                batch.size(),
                batch.length(),
                batch.ids(),
                batch.labels(),
                batch.positions(),
                batch.segments(),
                sequences);
    }

    @Override
    public long batchesPerEpoch() {
        return layout.apply(Batches.of(examples)).inEpoch(0);
    }
}
