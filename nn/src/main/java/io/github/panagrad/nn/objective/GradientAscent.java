package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.DistillOptions;
import io.github.panagrad.losses.HeadDistillation;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Step;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/// Forgets texts by climbing their loss, and keeps others to the model before by KL(before ‖ now): the
/// baselines that methods of unlearning are compared with.
///
/// The loss is −(mean ℓ of tokens to forget) + λ·(mean divergence of the other predicted tokens). With
/// λ = 0 the others take no part, and nothing keeps the model from losing all else too. There is no
/// lowest loss: train for few steps. Reported are the mean ℓ of what is to be forgotten, `forget`, and
/// the divergence, `kl`. Source: Jang et al. 2023, Knowledge Unlearning, arXiv 2210.01504, section 3.2;
/// with KL, Yao et al. 2023, Large Language Model Unlearning, arXiv 2310.10683, section 4.
///
/// ```java
/// var objective = GradientAscent.of(model, Teacher.adapterOff(model, adapter::enabled), s -> s.tag() == 1);
/// ```
///
/// @param model what trains
/// @param teacher the model before
/// @param forget which sequences are to be forgotten, by their numbers or tags
/// @param klWeight λ, at least 0
public record GradientAscent(
        CausalLM model,
        Teacher<CausalLM> teacher,
        Predicate<Batch.Sequence> forget,
        double klWeight)
        implements Taught<Batch> {
    /// Checks the weight.
    public GradientAscent {
        if (!(klWeight >= 0)) {
            throw new PanagradException(
                    "gradientAscent", "weight is out of range", "" + klWeight, "at least 0", "");
        }
    }

    /// Creates the objective with λ 1.
    public static GradientAscent of(
            CausalLM model, Teacher<CausalLM> before, Predicate<Batch.Sequence> forget) {
        return new GradientAscent(model, before, forget, 1);
    }

    /// Creates the objective without anything that is kept.
    public static GradientAscent plain(CausalLM model, Predicate<Batch.Sequence> forget) {
        return new GradientAscent(model, Teacher.of(model), forget, 0);
    }

    /// Returns the same with another weight of the divergence.
    public GradientAscent klWeight(double value) {
        return new GradientAscent(model, teacher, forget, value);
    }

    /// The two means have counts of their own, which one division cannot serve.
    @Override
    public boolean isAccumulationInvariant() {
        return false;
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        Answers answers = Answers.of(batch);
        int[] owners = answers.owners();
        int[] lost = places(batch, owners, forget);
        int[] kept = klWeight == 0 ? new int[0] : places(batch, owners, forget.negate());
        int tokens = lost.length + kept.length;
        Tensor hidden = model.hidden(batch, step.context());
        if (tokens == 0) {
            return LossTerm.of(hidden.sum().mul(0), 0);
        }
        Tensor mean = Ops.zeros().to(hidden.dtype()).to(hidden.device());
        double climbed = 0;
        if (lost.length > 0) {
            Tensor nll = answers.tokenLosses(model, hidden).indexSelect(0, at(lost, hidden)).mean();
            climbed = nll.detach().item();
            mean = mean.sub(nll);
        }
        double kl = 0;
        if (kept.length > 0) {
            Head theirs = Head.ask(teacher, step, batch, answers);
            Tensor divergence =
                    HeadDistillation.perToken(
                                    answers.states(hidden).indexSelect(0, at(kept, hidden)),
                                    model.head(),
                                    theirs.states().indexSelect(0, at(kept, hidden)),
                                    theirs.weight(),
                                    DistillOptions.DEFAULT)
                            .mean();
            kl = divergence.detach().item();
            mean = mean.add(divergence.mul(klWeight));
        }
        // The trainer divides by the tokens; these are means already.
        return new LossTerm(mean.mul(tokens), tokens, tokens, Map.of("forget", climbed, "kl", kl));
    }

    private static Tensor at(int[] places, Tensor like) {
        return Ops.indices(places, places.length).to(like.device());
    }

    private static int[] places(Batch batch, int[] owners, Predicate<Batch.Sequence> which) {
        return IntStream.range(0, owners.length)
                .filter(i -> which.test(batch.sequences().get(owners[i])))
                .toArray();
    }
}
