package io.github.panagrad.bench.natives;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Rotary positions of the rotate-half kind, each half in two passes and no negated copy.
final class TorchRope {
    private static final Scalar MINUS_ONE = new Scalar(-1.0);

    private final Tensor cos;
    private final Tensor sin;

    TorchRope(int positions, int channels) {
        int half = channels / 2;
        float[] c = new float[positions * half];
        float[] s = new float[positions * half];
        for (int p = 0; p < positions; p++) {
            for (int i = 0; i < half; i++) {
                double angle = p * Math.pow(10000, -2.0 * i / channels);
                c[p * half + i] = (float) Math.cos(angle);
                s[p * half + i] = (float) Math.sin(angle);
            }
        }
        cos = Torch.tensor(c, positions, 1, half);
        sin = Torch.tensor(s, positions, 1, half);
    }

    /// Turns all positions from 0 on. Shapes: (B, T, H, D) → (B, T, H, D).
    Tensor turn(Tensor x) {
        return turn(x, 0);
    }

    /// Turns positions from `first` on.
    Tensor turn(Tensor x, long first) {
        long count = x.size(1);
        boolean all = first == 0 && count == cos.size(0);
        Tensor c = all ? cos : cos.narrow(0, first, count);
        Tensor s = all ? sin : sin.narrow(0, first, count);
        TensorVector halves = x.chunk(2, -1);
        Tensor a = halves.get(0);
        Tensor b = halves.get(1);
        return torch.cat(
                new TensorVector(
                        a.mul(c).addcmul(b, s, MINUS_ONE), b.mul(c).addcmul(a, s)),
                -1);
    }
}
