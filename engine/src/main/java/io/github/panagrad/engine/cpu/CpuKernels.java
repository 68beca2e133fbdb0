package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.op.Attention;
import io.github.panagrad.engine.op.Linear;
import io.github.panagrad.engine.op.LinearCrossEntropy;
import io.github.panagrad.engine.op.MatMul;
import io.github.panagrad.engine.op.PerTokenHead;
import jdk.incubator.vector.FloatVector;

/// The list of all kernels of this backend, a line or a file of registrations per family.
final class CpuKernels {
    private CpuKernels() {}

    static void register(KernelTable table) {
        table.add(MatMul.class, new MatMulKernel(), MatMulKernel::suits);
        table.add(Linear.class, new LinearKernel(), LinearKernel::suits);
        ElementwiseKernels.register(table);
        RowKernels.register(table);
        NormKernels.register(table);
        MoveKernels.register(table);
        UpdateKernels.register(table);
        table.add(Attention.class, new AttentionKernel());
        table.add(Attention.Grad.class, new AttentionKernel.Grad());
        table.add(LinearCrossEntropy.class, new LinearCrossEntropyKernel());
        table.add(PerTokenHead.class, new PerTokenHeadKernel());
        table.add(PerTokenHead.Grad.class, new PerTokenHeadKernel.Grad());
    }

    static String describe() {
        var species = FloatVector.SPECIES_PREFERRED;
        return "%d-bit vectors (%d floats)".formatted(species.vectorBitSize(), species.length());
    }
}
