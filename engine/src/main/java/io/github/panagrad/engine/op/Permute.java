package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.ViewOp;
import java.util.List;

/// Dimensions in another order; a view.
///
/// @param order dimension i of the result is dimension `order[i]` of the operand
public record Permute(List<Integer> order) implements ViewOp {
    @Override
    public Layout view(Layout in) {
        int rank = in.shape().rank();
        boolean[] seen = new boolean[rank];
        boolean valid = order.size() == rank;
        for (int i = 0; valid && i < rank; i++) {
            int axis = in.shape().axis(order.get(i));
            valid = !seen[axis];
            seen[axis] = true;
        }
        if (!valid) {
            throw new ShapeException(
                    name(),
                    "not an order of the dimensions of " + in.shape(),
                    order.toString(),
                    "each of 0 to " + (rank - 1) + " once",
                    "");
        }
        return in.permute(order.stream().mapToInt(Integer::intValue).toArray());
    }

    @Override
    public Tensor vjp(Spec in, Tensor dy) {
        int[] inverse = new int[order.size()];
        for (int i = 0; i < inverse.length; i++) {
            inverse[in.shape().axis(order.get(i))] = i;
        }
        return dy.permute(inverse);
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Permute(List.of(1, 0)), Arg.uniform(-2, 2, 3, 17)),
                Sample.of(new Permute(List.of(2, 0, -2)), Arg.uniform(-2, 2, 2, 3, 4)));
    }
}
