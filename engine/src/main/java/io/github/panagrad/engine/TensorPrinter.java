package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.tape.Edge;
import java.util.Locale;

/// Writes a tensor for a reader: what it is, then its values, long rows and many rows cut short.
final class TensorPrinter {
    private static final int EDGE_ITEMS = 3;

    private TensorPrinter() {}

    static String print(Tensor tensor) {
        var text =
                new StringBuilder("tensor ")
                        .append(tensor.spec())
                        .append(' ')
                        .append(tensor.device());
        if (tensor instanceof Parameter p) {
            text.append(", parameter ").append(p.name()).append(p.isTrainable() ? "" : " (frozen)");
        } else {
            Edge edge = tensor.edge();
            if (edge != null) {
                text.append(", grad_fn=").append(edge.node().name());
            }
        }
        if (tensor.storage().isReleased()) {
            return text.append(" (released by ")
                    .append(tensor.storage().releasedBy())
                    .append(')')
                    .toString();
        }
        text.append(tensor.rank() > 1 ? '\n' : ' ');
        values(tensor, tensor.detach().to(Device.CPU), 0, 0, text);
        return text.toString();
    }

    private static void values(Tensor whole, Tensor host, int dim, long from, StringBuilder text) {
        if (dim == whole.rank()) {
            text.append(number(whole, host, from));
            return;
        }
        int n = whole.dim(dim);
        long step = whole.shape().product(dim + 1, whole.rank());
        boolean last = dim == whole.rank() - 1;
        text.append('[');
        for (int i = 0; i < n; i++) {
            if (i > 0) {
                text.append(last ? ", " : ",\n" + " ".repeat(dim + 1));
            }
            if (n > 2 * EDGE_ITEMS + 1 && i == EDGE_ITEMS) {
                text.append('…');
                i = n - EDGE_ITEMS - 1;
                continue;
            }
            values(whole, host, dim + 1, from + i * step, text);
        }
        text.append(']');
    }

    private static String number(Tensor whole, Tensor host, long logical) {
        double value = host.view().get(logical);
        return switch (whole.dtype()) {
            case BOOL -> value != 0 ? "true" : "false";
            case I32, I64, I8 -> Long.toString((long) value);
            default ->
                    value == 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5)
                            ? String.format(Locale.ROOT, "%.4f", value)
                            : String.format(Locale.ROOT, "%.3e", value);
        };
    }
}
