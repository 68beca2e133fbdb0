package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
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
        Tensor q = Init.orthogonal(1).draw(Shape.of(rank, rank), rng);
        int[] even = new int[half];
        int[] odd = new int[half];
        for (int i = 0; i < half; i++) {
            even[i] = 2 * i;
            odd[i] = 2 * i + 1;
        }
        Tensor down = q.indexSelect(0, Ops.indices(odd, half)).transpose(0, 1);
        Tensor up = q.indexSelect(0, Ops.indices(even, half));
        return new LoraInit.Factors(
                down.matmul(Ops.randn(rng, half, base.in()).mul(SCALE)),
                Ops.randn(rng, base.out(), half).mul(SCALE).matmul(up));
    }
}
