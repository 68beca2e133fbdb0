package io.github.panagrad.losses;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;

/// Losses against whole distributions instead of single targets: soft labels, and what another model
/// says.
///
/// They take logits of few classes. Results have one entry a row; take their mean. Where nothing else
/// is said, gradients flow to the first operand only: what it is compared with is a constant.
public final class DistributionLosses {
    private DistributionLosses() {}

    /// Computes the cross-entropy −Σ q·log softmax(logits) against probabilities: label smoothing, mixed
    /// labels, bins of a value.
    ///
    /// Shapes: logits (…, C), targets (…, C) → (…).
    ///
    /// @param targets q, rows of sum 1, constants
    public static Tensor softTargetCrossEntropy(Tensor logits, Tensor targets) {
        sameShapes("softTargetCrossEntropy", logits, targets);
        return Ops.logSoftmax(logits, -1).mul(targets.detach()).sum(-1, false).neg();
    }

    /// Computes KL(target ‖ model), which makes the model cover all that the target does.
    ///
    /// Shapes: both logits (…, C) → (…).
    public static Tensor forwardKl(Tensor logits, Tensor targetLogits) {
        sameShapes("forwardKl", logits, targetLogits);
        Tensor target = Ops.logSoftmax(targetLogits.detach(), -1);
        return target.exp().mul(target.sub(Ops.logSoftmax(logits, -1))).sum(-1, false);
    }

    /// Computes KL(model ‖ target), which keeps the model to what the target finds likely.
    ///
    /// Shapes: both logits (…, C) → (…).
    public static Tensor reverseKl(Tensor logits, Tensor targetLogits) {
        sameShapes("reverseKl", logits, targetLogits);
        Tensor model = Ops.logSoftmax(logits, -1);
        Tensor target = Ops.logSoftmax(targetLogits.detach(), -1);
        return model.exp().mul(model.sub(target)).sum(-1, false);
    }

    /// Computes the Jensen–Shannon divergence ½·KL(p ‖ m) + ½·KL(q ‖ m), m = (p + q)/2: symmetric, and
    /// at most ln 2.
    ///
    /// Shapes: both logits (…, C) → (…). Source: Lin 1991, Divergence measures based on the Shannon
    /// entropy, eq. 4.1.
    public static Tensor jensenShannon(Tensor logits, Tensor targetLogits) {
        sameShapes("jensenShannon", logits, targetLogits);
        Tensor p = Ops.logSoftmax(logits, -1);
        Tensor q = Ops.logSoftmax(targetLogits.detach(), -1);
        // log((p + q)/2) without leaving logarithms, where a probability may be too small for a
        // float
        Tensor top = p.detach().maximum(q);
        Tensor m = p.sub(top).exp().add(q.sub(top).exp()).log().add(top).sub(Math.log(2));
        return p.exp().mul(p.sub(m)).add(q.exp().mul(q.sub(m))).sum(-1, false).mul(0.5);
    }

    /// Computes what a student misses of a teacher, T²·KL(teacher ‖ student), both softened by a
    /// temperature.
    ///
    /// Shapes: both logits (…, C) → (…). Source: Hinton, Vinyals and Dean 2015, arXiv 1503.02531,
    /// section 2; T² keeps gradients comparable between temperatures.
    ///
    /// @param temperature T, above 0; 2 to 4 are common
    public static Tensor distillation(Tensor student, Tensor teacher, double temperature) {
        if (!(temperature > 0)) {
            throw new PanagradException(
                    "distillation", "temperature is out of range", "" + temperature, "above 0", "");
        }
        return forwardKl(student.div(temperature), teacher.div(temperature))
                .mul(temperature * temperature);
    }

    /// Computes Σ p·log(p/softmax(logits)) over the classes that count, p being the reference's whole
    /// softmax. Classes left out lose probability: that is what forgets a concept.
    ///
    /// Shapes: both logits (…, C), classes (C) → (…). Source: Li et al. 2024, Single Image Unlearning,
    /// arXiv 2405.12523, the dual masked KL; leave out rows by weights of the result.
    ///
    /// @param classes 1 for a class that counts, 0 for one that does not
    public static Tensor maskedKl(Tensor logits, Tensor referenceLogits, Tensor classes) {
        sameShapes("maskedKl", logits, referenceLogits);
        Tensor reference = Ops.logSoftmax(referenceLogits.detach(), -1);
        return reference
                .exp()
                .mul(classes.detach())
                .mul(reference.sub(Ops.logSoftmax(logits, -1)))
                .sum(-1, false);
    }

    private static void sameShapes(String op, Tensor a, Tensor b) {
        if (!a.shape().equals(b.shape())) {
            throw new ShapeException(
                    op, "distributions do not fit", a.spec() + " and " + b.spec(), "one shape", "");
        }
    }
}
