package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Step;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a reference policy finds of answers: constants, computed for each batch or once an example.
///
/// ```java
/// Reference reference = Reference.of(Teacher.frozenCopy(model)).cached(new ScoreCache());
/// ```
public final class Reference {
    private final Teacher<CausalLM> teacher;
    private final @Nullable ScoreCache cache;

    private Reference(Teacher<CausalLM> teacher, @Nullable ScoreCache cache) {
        this.teacher = teacher;
        this.cache = cache;
    }

    /// Creates a reference that asks the teacher for each batch.
    public static Reference of(Teacher<CausalLM> teacher) {
        return new Reference(teacher, null);
    }

    /// Returns a reference that asks once for each example and then remembers.
    ///
    /// @throws PanagradException if the teacher changes while the student trains
    public Reference cached(ScoreCache scores) {
        if (!teacher.isFixed()) {
            throw new PanagradException(
                    "reference",
                    "the teacher changes, and its answers with it",
                    "",
                    "a frozen copy, or the adapter switched off",
                    "");
        }
        return new Reference(teacher, scores);
    }

    /// Returns the teacher.
    public Teacher<CausalLM> teacher() {
        return teacher;
    }

    /// Returns the summed log-probability of each sequence's predicted tokens, in the order of
    /// [Batch#sequences].
    public double[] logProbs(Batch batch, Step step) {
        ScoreCache scores = cache;
        if (scores == null) {
            return computed(batch, step);
        }
        List<Batch.Sequence> sequences = batch.sequences();
        List<String> keys = sequences.stream().map(s -> ScoreCache.key(batch, s)).toList();
        Set<Batch.Sequence> missing = new HashSet<>();
        for (int i = 0; i < keys.size(); i++) {
            if (scores.find(keys.get(i)) == null) {
                missing.add(sequences.get(i));
            }
        }
        if (!missing.isEmpty()) {
            Batch rest = batch.only(missing::contains);
            double[] found = computed(rest, step);
            for (int i = 0; i < found.length; i++) {
                scores.put(ScoreCache.key(rest, rest.sequences().get(i)), found[i]);
            }
        }
        double[] all = new double[keys.size()];
        for (int i = 0; i < all.length; i++) {
            Double score = scores.find(keys.get(i));
            if (score == null) {
                throw new IllegalStateException("no score of " + sequences.get(i));
            }
            all[i] = score;
        }
        return all;
    }

    private double[] computed(Batch batch, Step step) {
        return Ops.scope(() ->
                teacher.ask(
                        step,
                        model ->
                                Answers.of(batch)
                                        .sequences(model, Context.EMPTY, Reduction.SUM)
                                        .toDoubles()));
    }
}
