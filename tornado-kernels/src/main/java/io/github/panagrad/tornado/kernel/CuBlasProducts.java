package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.tornado.cublas.CuBlasTask;
import io.github.panagrad.tornado.cublas.Gemm;
import io.github.panagrad.tornado.cublas.Precision;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Products of matrices by NVIDIA's cuBLAS, on tensor cores where [Precision] lets factors be rounded.
final class CuBlasProducts {
    private static final int LOCAL = 256;

    private final CuBlasTask task;
    private final Program products;
    private final Program bias;

    private CuBlasProducts(PanagradDevice device, Precision precision) {
        task = new CuBlasTask(precision);
        products = device.programs().addCall("cublas", task::describe);
        bias = device.programs().add("addBias", LOCAL, CuBlasProducts::kAddBias);
    }

    /// Returns products for a device; empty where it is not one of CUDA, or the library is missing or
    /// not wanted.
    ///
    /// @throws PanagradException if factors are to be rounded where there is no such library
    static Optional<CuBlasProducts> of(PanagradDevice device) {
        Precision wanted = Precision.wanted();
        if (device.isCuda() && CuBlasTask.isAvailable()) {
            return Optional.of(new CuBlasProducts(device, wanted));
        }
        if (wanted != Precision.F32) {
            throw new PanagradException(
                    "-D" + Precision.PROPERTY,
                    "no tensor cores for device " + device.device(),
                    wanted.label(),
                    "a device of CUDA, and cuBLAS, which comes with CUDA's toolkit",
                    "leave it out to compute in F32");
        }
        return Optional.empty();
    }

    /// Returns what factors are rounded to.
    Precision precision() {
        return task.precision();
    }

    /// Computes products, and tells whether it did: operands may have strides that cuBLAS does not take.
    boolean multiply(Product product) {
        boolean biased = product.bias().at() >= 0;
        if (biased && product.batches() > 1) {
            return false;
        }
        List<Gemm> calls = Gemms.of(product);
        if (calls == null) {
            return false;
        }
        // Another thread must not say what it wants in between.
        synchronized (task) {
            task.prepare(calls);
            products.launchGroups(1, new int[0]);
        }
        if (biased) {
            addBias(product.c(), product.bias());
        }
        return true;
    }

    private void addBias(Matrix c, Product.Bias b) {
        int n = c.rows() * c.columns();
        bias.launch(
                n,
                new int[] {
                    n,
                    c.columns(),
                    c.at(),
                    c.rowStride(),
                    c.columnStride(),
                    b.at(),
                    b.rowStride(),
                    b.columnStride()
                });
    }

    // p: elements, columns, place and strides (row, column) of the result, and of the summands

    private static void kAddBias(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int row = i / p.get(1);
            int column = i % p.get(1);
            int at = p.get(2) + row * p.get(3) + column * p.get(4);
            f.set(at, f.get(at) + f.get(p.get(5) + row * p.get(6) + column * p.get(7)));
        }
    }
}
