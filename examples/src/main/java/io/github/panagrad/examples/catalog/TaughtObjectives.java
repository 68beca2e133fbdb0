package io.github.panagrad.examples.catalog;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.examples.task.Answering;
import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.examples.task.Goal.Data;
import io.github.panagrad.losses.DistillOptions;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.UnlearnSet;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.metrics.FinalAnswer;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.AnswerCoverage;
import io.github.panagrad.nn.objective.Distill;
import io.github.panagrad.nn.objective.GradientAscent;
import io.github.panagrad.nn.objective.Grpo;
import io.github.panagrad.nn.objective.Poft;
import io.github.panagrad.nn.objective.PolicySurrogate;
import io.github.panagrad.nn.objective.ReferenceScores;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.objective.Unlearn;
import io.github.panagrad.nn.train.Objective;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Objectives that look at another model, at the model's own past or at its own answers.
final class TaughtObjectives {
    private TaughtObjectives() {}

    /// What an answer is rewarded for.
    private enum Rewarded {
        /// It is the wanted one, word for word.
        EXACT,
        /// It has the wanted one in it.
        CONTAINS,
        /// The share of its words that the wanted one has, and the other way round: F1.
        WORDS
    }

    static List<Entry<List<Goal>>> all() {
        return List.of(
                ObjectiveCatalog.entry(
                                "distill",
                                "learns another model's distributions",
                                "α·ℓ + γ·T²·KL(teacher ‖ student)",
                                "arXiv 1503.02531",
                                Distill.class,
                                s -> ObjectiveCatalog.text(m -> distill(m, s)))
                        .with(
                                Setting.of("teacher", "", "folder of a model with this vocabulary"),
                                Setting.of("temperature", 1, "T"),
                                Setting.of("direction", "forward", "or reverse, or symmetric"),
                                Setting.of("ce", 1, "α"),
                                Setting.of("kl", 1, "γ")),
                ObjectiveCatalog.entry(
                                "poft",
                                "learns what aligned models find likelier than this one does",
                                "−log σ(r − r̄)",
                                "PoFT, arXiv 2412.12865",
                                Poft.class,
                                s -> List.of(new Goal.Language(Data.TEXT, on -> poft(on, s))))
                        .with(Setting.of("scores", "", "files that 'score' wrote, between +")),
                ObjectiveCatalog.entry(
                                "siu",
                                "forgets a concept and keeps the rest",
                                "a·ℓ + b·KL without the concept's tokens",
                                "single image unlearning, arXiv 2405.12523",
                                Unlearn.class,
                                s -> List.of(new Goal.Language(Data.UNLEARN, on -> siu(on, s))))
                        .with(
                                Setting.of("concept", "", "its names, between +"),
                                Setting.of("ce", 0.9, "a"),
                                Setting.of("dmk", 0.75, "b")),
                ObjectiveCatalog.entry(
                                "ascent",
                                "forgets rows by climbing their loss, and holds on to the others",
                                "−ℓ + λ·KL(before ‖ now) of rows that stay",
                                "arXiv 2210.01504; with KL: arXiv 2310.10683",
                                GradientAscent.class,
                                s -> List.of(new Goal.Language(Data.TEXT, on -> ascent(on, s))))
                        .with(
                                Setting.of(
                                        "concept",
                                        "",
                                        "rows that say one of these names, between +; all without"
                                                + " it"),
                                Setting.of("kl", 1, "λ")),
                ObjectiveCatalog.entry(
                                "dco-chains",
                                "trains for the best of N answers behind chains of thought, sampled each epoch",
                                "F(N, p̂)·ℓ of a sequence",
                                "DCO^a, arXiv 2502.07154",
                                AnswerCoverage.class,
                                s -> List.of(new Goal.Language(Data.TEXT, on -> chains(on, s))))
                        .with(
                                Setting.of("n", 16, "samples that will be drawn"),
                                Setting.of("samples", 8, "answers to a prompt, for p̂"),
                                Setting.of("tokens", 128, "in an answer at most"),
                                Setting.of("mark", "####", "stands before the final answer")),
                ObjectiveCatalog.entry(
                                "grpo",
                                "samples answers and learns from the better ones",
                                "−min(ρ·A, clip(ρ)·A) + β·KL",
                                "GRPO, arXiv 2402.03300",
                                Grpo.class,
                                s -> List.of(new Goal.Language(Data.TEXT, on -> grpo(on, s))))
                        .with(
                                Setting.of("reward", "contains", "or exact, or words"),
                                Setting.of("group", 4, "answers to a prompt"),
                                Setting.of("tokens", 32, "in an answer at most"),
                                Setting.of("temperature", 1, "that answers are drawn at"),
                                Setting.of("beta", 0.04, "weight of KL")));
    }

    /// Remembers the model as it is now: by switching the adapter off, or by a copy.
    static Teacher<CausalLM> before(CausalLM model, @Nullable Adapter adapter) {
        return adapter == null
                ? Teacher.frozenCopy(model)
                : Teacher.adapterOff(model, adapter::enabled);
    }

    private static Objective<Batch> distill(CausalLM student, Settings s) {
        CausalLM teacher = CausalLM.load(Path.of(s.required("teacher")));
        teacher.to(student.device());
        return Distill.of(student, Teacher.of(teacher))
                .options(
                        DistillOptions.DEFAULT
                                .temperature(s.number("temperature"))
                                .direction(s.choice("direction", DistillOptions.Direction.class)))
                .weights(s.number("ce"), s.number("kl"));
    }

    private static Objective<Batch> poft(Goal.Subject on, Settings s) {
        List<String> keys =
                on.data().examples().stream()
                        .map(e -> ReferenceScores.key(on.model().tokenizer(), e))
                        .toList();
        ReferenceScores[] references =
                Arrays.stream(s.required("scores").split("\\+"))
                        .map(file -> ReferenceScores.read(Path.of(file)))
                        .toArray(ReferenceScores[]::new);
        return new Poft(on.model(), ReferenceScores.means(keys, references));
    }

    private static Objective<Batch> siu(Goal.Subject on, Settings s) {
        Set<Integer> concept =
                UnlearnSet.concept(
                        on.model().tokenizer(), List.of(s.required("concept").split("\\+")));
        Unlearn objective =
                Unlearn.of(on.model(), before(on.model(), on.adapter()), concept)
                        .weights(s.number("ce"), s.number("dmk"));
        return on.kept() == null ? objective : objective.kept(on.kept());
    }

    private static Objective<Batch> ascent(Goal.Subject on, Settings s) {
        if (!s.has("concept")) {
            return GradientAscent.plain(on.model(), sequence -> true);
        }
        Set<Integer> concept =
                UnlearnSet.concept(on.model().tokenizer(), List.of(s.word("concept").split("\\+")));
        List<Example> examples = on.data().examples();
        boolean[] forgotten = new boolean[examples.size()];
        for (int i = 0; i < forgotten.length; i++) {
            forgotten[i] = Arrays.stream(examples.get(i).labels()).anyMatch(concept::contains);
        }
        return GradientAscent.of(
                        on.model(),
                        before(on.model(), on.adapter()),
                        sequence -> forgotten[sequence.example()])
                .klWeight(s.number("kl"));
    }

    private static Objective<Batch> chains(Goal.Subject on, Settings s) {
        var answering = new Answering(on.model(), on.data());
        answering.requireAnswers();
        int samples = s.integer("samples");
        var mark = new FinalAnswer(s.word("mark"));
        Sampling sampling = Sampling.temperature(1).maxTokens(s.integer("tokens"));
        long apart = (long) samples * on.data().size();
        return new AnswerCoverage(on.model(), s.number("n"), on.data().size())
                .sampling(epoch -> answering.sample(samples, sampling.seed(epoch * apart), mark));
    }

    private static Objective<Batch> grpo(Goal.Subject on, Settings s) {
        Rewarded rewarded = s.choice("reward", Rewarded.class);
        Tokenizer tokenizer = on.model().tokenizer();
        var surrogate =
                PolicySurrogate.of(on.model(), before(on.model(), on.adapter()))
                        .klWeight(s.number("beta"));
        Sampling sampling =
                Sampling.temperature(s.number("temperature")).maxTokens(s.integer("tokens"));
        return new Grpo(
                surrogate,
                s.integer("group"),
                sampling,
                (answer, wanted) ->
                        reward(
                                rewarded,
                                tokenizer.decode(answer, true).strip(),
                                tokenizer.decode(wanted, true).strip()));
    }

    private static double reward(Rewarded rewarded, String answer, String wanted) {
        return switch (rewarded) {
            case EXACT -> answer.equals(wanted) ? 1 : 0;
            case CONTAINS -> answer.contains(wanted) ? 1 : 0;
            case WORDS -> {
                Set<String> all = words(wanted);
                Set<String> said = words(answer);
                var common = new HashSet<>(said);
                common.retainAll(all);
                yield 2.0 * common.size() / Math.max(1, all.size() + said.size());
            }
        };
    }

    private static Set<String> words(String text) {
        return Arrays.stream(text.split("\\W+"))
                .filter(word -> !word.isEmpty())
                .collect(Collectors.toSet());
    }
}
