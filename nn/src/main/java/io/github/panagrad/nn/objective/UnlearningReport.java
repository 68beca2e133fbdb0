package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.DistillOptions;
import io.github.panagrad.losses.HeadDistillation;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.metrics.Continuations;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Evaluator;
import io.github.panagrad.nn.train.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// What a model has forgotten of a concept, and what else it has lost by it.
///
/// In the manner of Li et al. 2024, Single Image Unlearning, arXiv 2405.12523, section 4, for texts.
///
/// ```java
/// var report = UnlearningReport.of(model, Teacher.frozenCopy(model), concept, probes);
/// ```
///
/// @param efficacy one less the mean probability of the concept's tokens over what was trained on
/// @param exactMatch the share of held-out mentions where the model still names the concept
/// @param conceptProbability the mean probability of the concept at held-out mentions: generality is
///     how small it is
/// @param unrelatedNll mean negative log-likelihood of unrelated texts, in nats a token
/// @param unrelatedKl KL(before ‖ now) on unrelated texts, in nats a token: specificity is how small
/// @param perplexity of the model's own continuations for the model before: fluency is how small
/// @param distinctWords the share of distinct tokens in its continuations: diversity
/// @param rougeL how like its continuations are to those of the model before, from 0 to 1; that of a
///     model that still knows what it was trained on is near 1
public record UnlearningReport(
        double efficacy,
        double exactMatch,
        double conceptProbability,
        double unrelatedNll,
        double unrelatedKl,
        double perplexity,
        double distinctWords,
        double rougeL) {
    private static final int ROWS = 8;

    /// What a model is asked.
    ///
    /// @param trained what was trained on, by answers
    /// @param mentions held-out contexts that end where the model before names the concept
    /// @param unrelated texts without the concept
    /// @param prompts beginnings of texts to go on with
    /// @param continuation how to go on; greedy decoding keeps noise out
    public record Probes(
            List<Example> trained,
            List<int[]> mentions,
            List<Example> unrelated,
            List<int[]> prompts,
            Sampling continuation) {
        /// Copies the lists.
        public Probes {
            trained = List.copyOf(trained);
            mentions = List.copyOf(mentions);
            unrelated = List.copyOf(unrelated);
            prompts = List.copyOf(prompts);
            if (trained.isEmpty()
                    || mentions.isEmpty()
                    || unrelated.isEmpty()
                    || prompts.isEmpty()) {
                throw new PanagradException(
                        "unlearning",
                        "nothing to ask",
                        trained.size()
                                + ", "
                                + mentions.size()
                                + ", "
                                + unrelated.size()
                                + " and "
                                + prompts.size()
                                + " rows",
                        "at least one of each kind",
                        "");
            }
        }
    }

    /// Asks a model, out of training mode.
    ///
    /// @param before the model before it forgot; its answers are for comparison
    /// @param concept the tokens of the concept's names
    public static UnlearningReport of(
            CausalLM model, Teacher<CausalLM> before, Set<Integer> concept, Probes probes) {
        var inquiry = new Inquiry(model, before, concept);
        boolean wasTraining = model.isTraining();
        model.training(false);
        try {
            double[] mentions = inquiry.mentions(probes.mentions());
            double[] texts = inquiry.continuations(probes.prompts(), probes.continuation());
            return new UnlearningReport(
                    1 - inquiry.probability(probes.trained()),
                    mentions[0],
                    mentions[1],
                    Evaluator.of(model).run(batches(probes.unrelated())).loss(),
                    inquiry.divergence(probes.unrelated()),
                    texts[0],
                    texts[1],
                    texts[2]);
        } finally {
            model.training(wasTraining);
        }
    }

    private static Batches batches(List<Example> examples) {
        return Batches.of(examples).size(ROWS);
    }

    /// The questions, one by one.
    private record Inquiry(CausalLM model, Teacher<CausalLM> before, Set<Integer> concept) {
        private <T> T askBefore(Function<CausalLM, T> question) {
            return before.ask(new Step(1, 1, 0, Context.EMPTY), question);
        }

        /// Returns the concept's mean probability at the predicted tokens.
        double probability(List<Example> examples) {
            double sum = 0;
            long tokens = 0;
            for (Batch batch : batches(examples)) {
                sum +=
                        Ops.scope(() ->
                                Ops.noGrad(() -> {
                                    Tensor hidden = model.hidden(batch);
                                    return mass(Answers.of(batch).states(hidden)).sum().item();
                                }));
                tokens += batch.predicted();
            }
            return sum / tokens;
        }

        /// Shapes: states (N, C) → (N).
        private Tensor mass(Tensor states) {
            double[] marks = new double[model.config().vocabSize()];
            concept.forEach(id -> marks[id] = 1);
            Tensor classes =
                    Ops.tensor64(marks, marks.length).to(states.dtype()).to(states.device());
            return HeadDistillation.mass(
                    states, model.head(), classes, DistillOptions.DEFAULT.memoryBudget());
        }

        /// Returns how often the likeliest next token is the concept's, and its mean probability.
        double[] mentions(List<int[]> contexts) {
            double named = 0;
            double probability = 0;
            for (int[] context : contexts) {
                Tensor last =
                        Ops.scope(() ->
                                Ops.noGrad(() -> {
                                    Tensor hidden =
                                            model.hidden(Ops.indices(context, 1, context.length));
                                    return hidden.narrow(1, context.length - 1, 1)
                                            .reshape(1, hidden.dim(-1));
                                }));
                int likeliest = Ops.noGrad(() -> model.logits(last).argmax(-1, false)).toInts()[0];
                named += concept.contains(likeliest) ? 1 : 0;
                probability += mass(last).item();
            }
            return new double[] {named / contexts.size(), probability / contexts.size()};
        }

        /// Returns KL(before ‖ now), a mean over tokens.
        double divergence(List<Example> examples) {
            double sum = 0;
            long tokens = 0;
            for (Batch batch : batches(examples)) {
                sum +=
                        Ops.scope(() ->
                                Ops.noGrad(() -> {
                                    Answers answers = Answers.of(batch);
                                    Tensor theirs = askBefore(m -> answers.states(m.hidden(batch)));
                                    Tensor head = askBefore(m -> m.head().detach());
                                    return HeadDistillation.perToken(
                                                    answers.states(model.hidden(batch)),
                                                    model.head(),
                                                    theirs,
                                                    head,
                                                    DistillOptions.DEFAULT)
                                            .sum()
                                            .item();
                                }));
                tokens += batch.predicted();
            }
            return sum / tokens;
        }

        /// Returns perplexity, distinct tokens and likeness of continuations.
        double[] continuations(List<int[]> prompts, Sampling how) {
            var mine = new ArrayList<List<Integer>>();
            var rows = new ArrayList<Example>();
            double likeness = 0;
            for (int[] prompt : prompts) {
                int[] text = model.generate(prompt, how, token -> {});
                int[] theirs = askBefore(m -> m.generate(prompt, how, token -> {}));
                mine.add(Arrays.stream(text).boxed().toList());
                likeness +=
                        Continuations.rougeL(mine.getLast(), Arrays.stream(theirs).boxed().toList())
                                / prompts.size();
                if (text.length > 0) {
                    rows.add(continued(prompt, text));
                }
            }
            double perplexity =
                    rows.isEmpty()
                            ? Double.NaN
                            : askBefore(m -> Evaluator.of(m).run(batches(rows)).perplexity());
            return new double[] {perplexity, Continuations.distinct(mine, 1), likeness};
        }

        private static Example continued(int[] prompt, int[] text) {
            int[] ids = Arrays.copyOf(prompt, prompt.length + text.length);
            System.arraycopy(text, 0, ids, prompt.length, text.length);
            int[] labels = ids.clone();
            Arrays.fill(labels, 0, prompt.length, Example.IGNORED);
            return new Example(ids, labels, 0);
        }
    }
}
