package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.ShapeException;
import org.jspecify.annotations.Nullable;

/// Convolution by windows and matrix products: the windows are a view, so the one copy of them is
/// the reshape that the product needs.
final class Convolution {
    private Convolution() {}

    static Tensor conv1d(
            Tensor x,
            Tensor weight,
            @Nullable Tensor bias,
            int stride,
            int padding,
            int dilation,
            int groups) {
        check(x, weight, bias, groups);
        int batch = x.dim(0);
        int inner = weight.dim(1);
        int size = weight.dim(2);
        int outputs = weight.dim(0);
        Tensor windows = x.pad(2, padding, padding).unfold(2, size, stride, dilation);
        int length = windows.dim(2);
        Tensor columns =
                windows.reshape(batch, groups, inner, length, size)
                        .permute(0, 1, 2, 4, 3)
                        .reshape(batch, groups, inner * size, length);
        Tensor rows = weight.reshape(groups, outputs / groups, inner * size);
        Tensor y = rows.matmul(columns).reshape(batch, outputs, length);
        return bias == null ? y : y.add(bias.reshape(outputs, 1));
    }

    private static void check(Tensor x, Tensor weight, @Nullable Tensor bias, int groups) {
        boolean fits =
                x.rank() == 3
                        && weight.rank() == 3
                        && groups >= 1
                        && x.dim(1) == weight.dim(1) * groups
                        && weight.dim(0) % groups == 0;
        if (!fits) {
            throw new ShapeException(
                    "conv1d",
                    "operands do not fit",
                    "x " + x.spec() + ", weight " + weight.spec() + ", groups " + groups,
                    "x [B,C,T] and weight [O,C/groups,K] with O a multiple of groups",
                    "");
        }
        if (bias != null && (bias.rank() != 1 || bias.dim(0) != weight.dim(0))) {
            throw new ShapeException(
                    "conv1d",
                    "bias does not fit",
                    bias.spec().toString(),
                    "[" + weight.dim(0) + "]",
                    "");
        }
    }
}
