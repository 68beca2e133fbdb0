package io.github.panagrad.engine.op;

import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// The k greatest elements of one dimension, the greatest first, and where they were.
///
/// Shapes: (*) → values and I32 indices with k along `dim`.
///
/// @param dim the dimension, not negative
/// @param k how many, at most the dimension's extent
public record TopK(int dim, int k) implements Ranking {
    @Override
    public boolean descending() {
        return true;
    }

    @Override
    public int count(int n) {
        return k;
    }

    @Override
    public List<Spec> infer(List<Spec> in) {
        int extent = in.getFirst().shape().dim(dim);
        if (k < 0 || k > extent) {
            throw new ShapeException(
                    name(),
                    "k out of range for dimension " + dim + " of " + in.getFirst(),
                    Integer.toString(k),
                    "0 to " + extent,
                    "");
        }
        return Ranking.super.infer(in);
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new TopK(0, 3), Arg.distinct(35)),
                Sample.of(new TopK(1, 17), Arg.distinct(3, 17)),
                Sample.of(new TopK(1, 2), Arg.distinct(2, 5, 4)));
    }
}
