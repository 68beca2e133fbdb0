package io.github.panagrad.engine.tape;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// One case that the tests run an op on: the op with its attributes and the operands to draw.
///
/// @param op the op
/// @param args its operands
public record Sample(Op op, List<Arg> args) {
    /// Names an op and its operands.
    public static Sample of(Op op, Arg... args) {
        return new Sample(op, List.of(args));
    }

    /// Returns samples of an elementwise op of one operand: sizes around the vector width, and more
    /// dimensions.
    public static List<Sample> unary(Supplier<? extends Op> op, double low, double high) {
        var samples = new ArrayList<Sample>();
        for (int n : new int[] {1, 15, 16, 17, 35}) {
            samples.add(of(op.get(), Arg.uniform(low, high, n)));
        }
        samples.add(of(op.get(), Arg.uniform(low, high)));
        samples.add(of(op.get(), Arg.uniform(low, high, 2, 3, 17)));
        return samples;
    }

    /// Returns samples of an elementwise op of two operands: equal and broadcast shapes.
    public static List<Sample> binary(Supplier<? extends Op> op, Arg a, Arg b) {
        int[][][] shapes = {
            {{17}, {17}},
            {{}, {}},
            {{3, 33}, {3, 33}},
            {{3, 16}, {}},
            {{}, {5}},
            {{4, 17}, {17}},
            {{4, 17}, {4, 1}},
            {{4, 1}, {1, 17}},
            {{2, 1, 5}, {3, 1}},
        };
        var samples = new ArrayList<Sample>();
        for (int[][] s : shapes) {
            samples.add(of(op.get(), a.shaped(s[0]), b.shaped(s[1])));
        }
        return samples;
    }
}
