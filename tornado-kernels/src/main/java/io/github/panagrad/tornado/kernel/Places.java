package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import java.util.Arrays;

/// Where operands lie in the device's arrays, as kernels are told.
final class Places {
    /// Dimensions that kernels with strides know.
    static final int RANK = 6;

    private Places() {}

    /// Returns the place of a view's first element.
    static int at(View view) {
        return ((DeviceStorage) view.storage()).at() + view.offset();
    }

    /// Returns the extents of a shape, leading ones added up to [#RANK].
    static int[] extents(Shape shape) {
        int[] extents = new int[RANK];
        Arrays.fill(extents, 1);
        for (int i = 0; i < shape.rank(); i++) {
            extents[RANK - shape.rank() + i] = shape.dim(i);
        }
        return extents;
    }

    /// Returns the strides of a view repeated to a broadcast shape, leading zeros added up to
    /// [#RANK].
    static int[] strides(View view, Shape shape) {
        var layout = view.layout().expand(shape);
        int[] strides = new int[RANK];
        for (int i = 0; i < shape.rank(); i++) {
            strides[RANK - shape.rank() + i] = Math.toIntExact(layout.stride(i));
        }
        return strides;
    }

    /// Joins the numbers of a launch.
    static int[] join(int[]... parts) {
        int n = 0;
        for (int[] part : parts) {
            n += part.length;
        }
        int[] all = new int[n];
        int at = 0;
        for (int[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
