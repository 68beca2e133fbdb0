package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.DistillOptions;
import io.github.panagrad.losses.HeadDistillation;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Step;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/// Forgets a concept and keeps the rest: a·cross-entropy of what is to be said instead + b·dual masked
/// KL to the model before, each a mean over its tokens.
///
/// The masked KL sums p·log(p/q) over the vocabulary without the concept's tokens, on positions that
/// do not contradict the old model. It pushes the concept's probability down by itself: with M the
/// reference's mass outside of the concept, its least value is M·ln M, where the model gives the
/// concept none. Reported are the cross-entropy `ce`, `dmk` less that least value, so 0 at best, and
/// the mean probability of the `concept`. Source: Li et al. 2024, Single Image Unlearning, arXiv
/// 2405.12523, the dual masked KL.
///
/// @param model what trains
/// @param teacher the model before
/// @param concept the tokens of the concept's names, with and without a blank before
/// @param kept which positions are held to the teacher, such as `set::isKept` of an
///     [io.github.panagrad.nn.data.UnlearnSet]
/// @param ceWeight a, at least 0
/// @param dmkWeight b, above 0
public record Unlearn(
        CausalLM model,
        Teacher<CausalLM> teacher,
        Set<Integer> concept,
        Kept kept,
        double ceWeight,
        double dmkWeight)
        implements Taught<Batch> {
    /// Says which predicted tokens are held to the model before: not those of a new name or
    /// description.
    @FunctionalInterface
    public interface Kept {
        /// Tells whether a token counts.
        ///
        /// @param sequence the example, with its number in the data and its tag
        /// @param token the place of the predicted token in the example
        boolean test(Batch.Sequence sequence, int token);
    }

    /// Checks weights and tokens.
    public Unlearn {
        concept = Set.copyOf(concept);
        int vocabulary = model.config().vocabSize();
        if (!(ceWeight >= 0 && dmkWeight > 0)
                || concept.isEmpty()
                || concept.stream().anyMatch(id -> id < 0 || id >= vocabulary)) {
            throw new PanagradException(
                    "unlearn",
                    "weights or tokens are out of range",
                    "weights " + ceWeight + " and " + dmkWeight + ", tokens " + concept,
                    "at least 0, above 0, and ids below " + vocabulary,
                    "");
        }
    }

    /// Creates the objective with a 0.9 and b 0.75, every position held to the teacher.
    public static Unlearn of(CausalLM model, Teacher<CausalLM> before, Set<Integer> concept) {
        return new Unlearn(model, before, concept, (sequence, token) -> true, 0.9, 0.75);
    }

    /// Returns the same with only some positions held to the teacher.
    public Unlearn kept(Kept which) {
        return new Unlearn(model, teacher, concept, which, ceWeight, dmkWeight);
    }

    /// Returns the same with other weights.
    public Unlearn weights(double ce, double dmk) {
        return new Unlearn(model, teacher, concept, kept, ce, dmk);
    }

    /// The two means have counts of their own, which one division cannot serve.
    @Override
    public boolean isAccumulationInvariant() {
        return false;
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        Answers answers = Answers.of(batch);
        Head theirs = Head.ask(teacher, step, batch, answers);
        Tensor hidden = model.hidden(batch, step.context());
        Tensor mine = answers.states(hidden);
        int tokens = batch.predicted();
        Tensor rest = rest(mine);
        int[] places = places(batch, answers);
        Tensor sum = model.loss(hidden, batch, HeadOptions.DEFAULT, Reduction.SUM);
        final double ce = sum.detach().item() / tokens;
        sum = sum.mul(ceWeight);
        double dmk = 0;
        long budget = DistillOptions.DEFAULT.memoryBudget();
        if (places.length > 0) {
            Tensor at = Ops.indices(places, places.length).to(mine.device());
            Tensor states = theirs.states().indexSelect(0, at);
            Tensor divergence =
                    HeadDistillation.perToken(
                                    mine.indexSelect(0, at),
                                    model.head(),
                                    states,
                                    theirs.weight(),
                                    DistillOptions.DEFAULT.classes(rest))
                            .mean();
            double[] mass =
                    HeadDistillation.mass(states, theirs.weight(), rest, budget).toDoubles();
            double least =
                    Arrays.stream(mass).map(m -> m > 0 ? m * Math.log(m) : 0).average().orElse(0);
            dmk = divergence.detach().item() - least;
            // The trainer divides by the tokens; this is a mean already.
            sum = sum.add(divergence.mul(dmkWeight * tokens));
        }
        Tensor left = HeadDistillation.mass(mine.detach(), model.head().detach(), rest, budget);
        return new LossTerm(
                sum,
                tokens,
                tokens,
                Map.of("ce", ce, "dmk", dmk, "concept", 1 - left.mean().item()));
    }

    /// Returns 1 for tokens of the vocabulary outside of the concept. Shapes: → (V).
    private Tensor rest(Tensor like) {
        double[] rest = new double[model.config().vocabSize()];
        Arrays.fill(rest, 1);
        concept.forEach(id -> rest[id] = 0);
        return Answers.constant(like, rest);
    }

    /// Returns which of the predicted tokens are held to the teacher.
    private int[] places(Batch batch, Answers answers) {
        int[] owners = answers.owners();
        int[] at = answers.offsets();
        return IntStream.range(0, owners.length)
                .filter(i -> kept.test(batch.sequences().get(owners[i]), at[i]))
                .toArray();
    }
}
