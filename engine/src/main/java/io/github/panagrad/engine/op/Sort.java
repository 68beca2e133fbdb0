package io.github.panagrad.engine.op;

import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// All elements of one dimension in order, and where they were. Shapes: (*) → (*), I32 (*).
///
/// @param dim the dimension, not negative
/// @param descending whether the greatest come first
public record Sort(int dim, boolean descending) implements Ranking {
    @Override
    public int count(int n) {
        return n;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Sort(0, false), Arg.distinct(35)),
                Sample.of(new Sort(1, true), Arg.distinct(3, 17)),
                Sample.of(new Sort(1, false), Arg.distinct(2, 5, 4)));
    }
}
