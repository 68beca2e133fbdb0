package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;

/// How the hidden states of a row become one vector. Tokens that the mask hides do not count.
///
/// Shapes: hidden (B, T, C), mask BOOL (B, T) → (B, C).
public enum Pooling {
    /// The state of the first token.
    CLS {
        @Override
        public Tensor pool(Tensor hidden, Tensor mask) {
            return hidden.narrow(1, 0, 1).reshape(hidden.dim(0), hidden.dim(2));
        }
    },
    /// The state of the last token that is there.
    LAST {
        @Override
        public Tensor pool(Tensor hidden, Tensor mask) {
            int rows = hidden.dim(0);
            int length = hidden.dim(1);
            int[] there = mask.toInts();
            int[] last = new int[rows];
            for (int i = 0; i < there.length; i++) {
                if (there[i] != 0) {
                    last[i / length] = i;
                }
            }
            Tensor index = Ops.indices(last, rows).to(hidden.device());
            return hidden.reshape(rows * length, hidden.dim(2)).indexSelect(0, index);
        }
    },
    /// The mean of the states.
    MEAN {
        @Override
        public Tensor pool(Tensor hidden, Tensor mask) {
            Tensor there =
                    mask.to(hidden.device())
                            .to(hidden.dtype())
                            .reshape(mask.dim(0), 1, mask.dim(1));
            Tensor sum = there.matmul(hidden).reshape(hidden.dim(0), hidden.dim(2));
            return sum.div(there.sum(-1, false));
        }
    },
    /// The largest value of each channel.
    MAX {
        @Override
        public Tensor pool(Tensor hidden, Tensor mask) {
            Tensor there = mask.to(hidden.device()).reshape(mask.dim(0), mask.dim(1), 1);
            Tensor low = Ops.full(hidden.dtype(), there.shape(), -1e30).to(hidden.device());
            return Ops.where(there, hidden, low).max(1, false);
        }
    };

    /// Computes the vectors.
    public abstract Tensor pool(Tensor hidden, Tensor mask);
}
