package io.github.panagrad.examples.task;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Distill;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.objective.Unlearn;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Evaluation;
import io.github.panagrad.nn.train.Evaluator;
import io.github.panagrad.nn.train.Objective;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Tunes a language model.
///
/// @param model the model
/// @param training what is trained on
/// @param batches the same in batches
/// @param heldOut batches to measure on, or null
/// @param goal what is made small
/// @param kept for a goal that unlearns, which tokens are held to the model as it was
public record LanguageTask(
        CausalLM model,
        Dataset training,
        BatchSource<Batch> batches,
        @Nullable Batches heldOut,
        Goal.Language goal,
        Unlearn.@Nullable Kept kept)
        implements Task<Batch> {
    @Override
    public ParamSelection selection() {
        return model.selection();
    }

    @Override
    public Tokenizer tokenizer() {
        return model.tokenizer();
    }

    @Override
    public String unit() {
        return "tokens";
    }

    @Override
    public String data() {
        return String.format(
                Locale.ROOT,
                "%,d rows, %,d tokens (%d cut, %d left out)",
                training.size(),
                training.tokens(),
                training.truncated(),
                training.dropped());
    }

    @Override
    public void run(Batch batch) {
        model.hidden(batch);
    }

    @Override
    public IntStream tokens(Batch batch) {
        return batch.sequences().stream()
                .flatMapToInt(s -> {
                    int from = s.row() * batch.length() + s.start();
                    return Arrays.stream(batch.ids(), from, from + s.length());
                });
    }

    @Override
    public Objective<Batch> objective(@Nullable Adapter adapter) {
        return goal.maker().apply(new Goal.Subject(model, adapter, training, kept));
    }

    @Override
    public Objective<Batch> divergence(Adapter adapter) {
        return Distill.of(model, Teacher.adapterOff(model, adapter::enabled)).weights(0, 1);
    }

    @Override
    public @Nullable Measure measure() {
        Batches on = heldOut;
        return on == null ? null : measure(model, on);
    }

    /// Measures how well a language model predicts text.
    public static Measure measure(CausalLM model, Batches heldOut) {
        return () -> result(Evaluator.of(model).run(heldOut));
    }

    private static Measure.Result result(Evaluation e) {
        return new Measure.Result(
                e.loss(),
                JsonObject.of("loss", e.loss(), "perplexity", e.perplexity(), "tokens", e.tokens()),
                String.format(Locale.ROOT, "%.4f (perplexity %.2f)", e.loss(), e.perplexity()));
    }

    @Override
    public void save(Path folder) {
        model.save(folder);
    }
}
