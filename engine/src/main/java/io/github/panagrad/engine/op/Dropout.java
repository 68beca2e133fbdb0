package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Zeroes elements with probability p and divides the others by 1−p (Srivastava et al., JMLR 15,
/// 2014). Element i is kept where `draw.uniform(i) >= p`, so the mask is never stored.
///
/// Shapes: (*) → (*).
///
/// @param p the probability, at least 0 and below 1
/// @param draw the random numbers
public record Dropout(double p, Rng.Draw draw) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.getFirst().widened());
    }

    @Override
    public void eval(View[] in, View[] out) {
        for (long i = 0; i < out[0].shape().size(); i++) {
            out[0].set(i, draw.uniform(i) >= (float) p ? in[0].get(i) / (1 - p) : 0);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {Tape.one(this, node.grad(dy, 0))};
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Dropout(0.3, Rng.of(5).draw()), Arg.uniform(-2, 2, 3, 17)),
                Sample.of(new Dropout(0.9, Rng.of(6).draw()), Arg.uniform(-2, 2, 40)));
    }
}
