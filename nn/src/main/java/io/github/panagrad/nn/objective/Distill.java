package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.DistillOptions;
import io.github.panagrad.losses.HeadDistillation;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Step;
import java.util.Map;

/// Learns from a teacher's distributions over the predicted tokens: α·cross-entropy + γ·T²·divergence,
/// a mean over tokens.
///
/// Logits of a whole batch are never built, of either model. Reports both parts. Source: Hinton,
/// Vinyals and Dean 2015, arXiv 1503.02531, section 2.
///
/// ```java
/// var objective = Distill.of(student, Teacher.of(large)).temperature(2);
/// ```
///
/// @param student what trains
/// @param teacher a model with the same vocabulary
/// @param options divergence and temperature
/// @param ceWeight α, at least 0
/// @param klWeight γ, above 0
public record Distill(
        CausalLM student,
        Teacher<CausalLM> teacher,
        DistillOptions options,
        double ceWeight,
        double klWeight)
        implements Taught<Batch> {
    /// Checks the weights.
    public Distill {
        if (!(ceWeight >= 0 && klWeight > 0)) {
            throw new PanagradException(
                    "distill",
                    "weights are out of range",
                    ceWeight + " and " + klWeight,
                    "at least 0, and above 0",
                    "");
        }
    }

    /// Creates the objective with KL(teacher ‖ student) at temperature 1 and both weights 1.
    public static Distill of(CausalLM student, Teacher<CausalLM> teacher) {
        return new Distill(student, teacher, DistillOptions.DEFAULT, 1, 1);
    }

    /// Returns the same with another divergence or temperature.
    public Distill options(DistillOptions value) {
        return new Distill(student, teacher, value, ceWeight, klWeight);
    }

    /// Returns the same at another temperature.
    public Distill temperature(double value) {
        return options(options.temperature(value));
    }

    /// Returns the same with other weights of cross-entropy and divergence.
    public Distill weights(double ce, double kl) {
        return new Distill(student, teacher, options, ce, kl);
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        Answers answers = Answers.of(batch);
        Head theirs = Head.ask(teacher, step, batch, answers);
        Tensor hidden = student.hidden(batch, step.context());
        Tensor divergence =
                HeadDistillation.perToken(
                                answers.states(hidden),
                                student.head(),
                                theirs.states(),
                                theirs.weight(),
                                options)
                        .sum();
        int tokens = batch.predicted();
        Tensor sum = divergence.mul(klWeight);
        double ce = 0;
        if (ceWeight > 0) {
            Tensor plain = student.loss(hidden, batch, HeadOptions.DEFAULT, Reduction.SUM);
            ce = plain.detach().item() / tokens;
            sum = sum.add(plain.mul(ceWeight));
        }
        double kl = divergence.detach().item() / tokens;
        return new LossTerm(sum, tokens, tokens, Map.of("ce", ce, "kl", kl));
    }
}
