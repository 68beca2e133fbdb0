package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Difference, a − b. Shapes: broadcast.
public record Sub() implements Binary {
    @Override
    public double eval(double a, double b) {
        return a - b;
    }

    @Override
    public Tensor vjpA(Node node, Tensor dy) {
        return dy;
    }

    @Override
    public Tensor vjpB(Node node, Tensor dy) {
        return dy.neg();
    }

    @Override
    public boolean savesInput(int i, boolean[] needs) {
        return false;
    }

    public static List<Sample> samples() {
        return Sample.binary(Sub::new, Arg.uniform(-2, 2), Arg.uniform(-2, 2));
    }
}
