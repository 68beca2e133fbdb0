package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.layers.Linear;

/// Factors that are not zero and whose product is.
final class OrthogonalFactors {
    /// What keeps the factors small.
    private static final double SCALE = 0.1;

    private OrthogonalFactors() {}

    static LoraInit.Factors draw(String path, Linear base, int rank, Rng rng) {
        if (rank % 2 != 0) {
            throw new PanagradException(
                    "lora at " + path,
                    "orthogonal factors need an even rank",
                    "" + rank,
                    "an even number",
                    "");
        }
        int half = rank / 2;
        Tensor q = polished(Init.orthogonal(1).draw(Shape.of(rank, rank), rng).to(DType.F64), rank);
        int[] even = new int[half];
        int[] odd = new int[half];
        for (int i = 0; i < half; i++) {
            even[i] = 2 * i;
            odd[i] = 2 * i + 1;
        }
        Tensor down = q.indexSelect(0, Ops.indices(odd, half)).transpose(0, 1);
        Tensor up = q.indexSelect(0, Ops.indices(even, half));
        return new LoraInit.Factors(
                down.matmul(Ops.randn(rng, half, base.in()).to(DType.F64).mul(SCALE)),
                Ops.randn(rng, base.out(), half).to(DType.F64).mul(SCALE).matmul(up));
    }

    /// Takes a step of Newton and Schulz, Q·(3·I − QᵀQ)/2, that leaves rows orthogonal in F64 too.
    private static Tensor polished(Tensor q, int n) {
        Tensor three = Ops.eye(n).to(DType.F64).mul(3);
        return q.matmul(three.sub(q.transpose().matmul(q))).mul(0.5);
    }
}
