package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Tape;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// An op that puts the elements of one dimension in order and returns the first of them, with their
/// indices. Equal elements keep their order, NaN counts as the greatest.
public sealed interface Ranking extends Op permits Sort, TopK {
    /// Returns the dimension, not negative.
    int dim();

    /// Tells whether the greatest come first.
    boolean descending();

    /// Returns how many of `n` elements are returned.
    int count(int n);

    @Override
    default List<Spec> infer(List<Spec> in) {
        Spec x = in.getFirst();
        Shape shape = x.shape().with(dim(), count(x.shape().dim(dim())));
        return List.of(x.widened().with(shape), new Spec(shape, DType.I32));
    }

    @Override
    default void eval(View[] in, View[] out) {
        Shape shape = in[0].shape();
        int n = shape.dim(dim());
        int k = out[0].dim(dim());
        long lines = shape.size() / Math.max(1, n);
        double[] keys = new double[n];
        for (long i = 0; i < lines; i++) {
            for (int j = 0; j < n; j++) {
                keys[j] = in[0].get(ArgExtremum.element(shape, dim(), i, j));
            }
            Integer[] order = first(keys, k);
            for (int j = 0; j < k; j++) {
                long at = ArgExtremum.element(out[0].shape(), dim(), i, j);
                out[0].set(at, keys[order[j]]);
                out[1].setLong(at, order[j]);
            }
        }
    }

    private Integer[] first(double[] keys, int k) {
        Comparator<Integer> byKey = (a, b) -> compare(keys[a], keys[b]);
        Comparator<Integer> order =
                (descending() ? byKey.reversed() : byKey).thenComparing(Comparator.naturalOrder());
        if (k > keys.length / 8) {
            Integer[] all = new Integer[keys.length];
            Arrays.setAll(all, i -> i);
            Arrays.sort(all, order);
            return all;
        }
        var best = new PriorityQueue<Integer>(k + 1, Collections.reverseOrder(order));
        for (int i = 0; i < keys.length; i++) {
            if (best.size() < k) {
                best.add(i);
            } else if (k > 0 && order.compare(i, best.element()) < 0) {
                best.remove();
                best.add(i);
            }
        }
        Integer[] chosen = best.toArray(Integer[]::new);
        Arrays.sort(chosen, order);
        return chosen;
    }

    private static int compare(double a, double b) {
        return a < b ? -1 : a > b ? 1 : Boolean.compare(Double.isNaN(a), Double.isNaN(b));
    }

    @Override
    default @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        int extent = node.inputSpec(0).shape().dim(dim());
        return new Tensor[] {
            Tape.one(new ScatterAdd(dim(), extent), node.grad(dy, 0), node.output(1))
        };
    }

    @Override
    default boolean savesInput(int i) {
        return false;
    }

    @Override
    default boolean savesOutput(int i) {
        return i == 1;
    }
}
