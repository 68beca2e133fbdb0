package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.NllLosses;

/// A loss of each target that depends on nothing but its negative log-likelihood ℓ.
///
/// Elementwise, and 0 where ℓ is 0, as it is at ignored targets. [Pointwise] makes objectives of it,
/// over next tokens and over labels.
///
/// ```java
/// PointLoss robust = PointLoss.mix(0.4, PointLoss.crossEntropy(), PointLoss.generalized(0.7));
/// ```
@FunctionalInterface
public interface PointLoss {
    /// Computes the loss of each target. Shapes: (*) → (*).
    Tensor of(Tensor nll);

    /// Returns ℓ itself.
    static PointLoss crossEntropy() {
        return nll -> nll;
    }

    /// Returns the focal loss; see [NllLosses#focal].
    static PointLoss focal(double gamma) {
        return nll -> NllLosses.focal(nll, gamma);
    }

    /// Returns poly-1 cross-entropy; see [NllLosses#poly1].
    static PointLoss poly1(double epsilon) {
        return nll -> NllLosses.poly1(nll, epsilon);
    }

    /// Returns generalised cross-entropy; see [NllLosses#generalizedCrossEntropy(Tensor, double)].
    static PointLoss generalized(double q) {
        return truncated(q, 0);
    }

    /// Returns generalised cross-entropy that is constant where p ≤ k; see
    /// [NllLosses#generalizedCrossEntropy(Tensor, double, double)].
    static PointLoss truncated(double q, double k) {
        return nll -> NllLosses.generalizedCrossEntropy(nll, q, k);
    }

    /// Returns symmetric cross-entropy; see [NllLosses#symmetricCrossEntropy].
    static PointLoss symmetric(double a, double b, double logZero) {
        return nll -> NllLosses.symmetricCrossEntropy(nll, a, b, logZero);
    }

    /// Returns λ·first + (1 − λ)·second.
    ///
    /// @param lambda from 0 to 1
    /// @throws PanagradException if it is not
    static PointLoss mix(double lambda, PointLoss first, PointLoss second) {
        if (!(lambda >= 0 && lambda <= 1)) {
            throw new PanagradException("mix", "λ is out of range", "" + lambda, "0 to 1", "");
        }
        return nll -> first.of(nll).mul(lambda).add(second.of(nll).mul(1 - lambda));
    }
}
