package io.github.panagrad.examples.task;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.data.ValuedRows;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.SentenceEmbedder;
import io.github.panagrad.nn.objective.ValueRegression;
import io.github.panagrad.nn.objective.ValueRegression.Valued;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objective;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Tunes an encoder to predict a number of a text.
public final class ValueTask implements Task<Valued> {
    /// The head's weights, beside the model or the adapter.
    public static final String HEAD = "value_head.safetensors";

    private final Encoder encoder;
    private final ValuedRows training;
    private final @Nullable ValuedRows heldOut;
    private final ClassifyTask.Order order;
    private final ValueRegression regression;

    /// Puts a new head on an encoder.
    public ValueTask(
            Encoder encoder,
            ValuedRows training,
            @Nullable ValuedRows heldOut,
            Goal.Values goal,
            ClassifyTask.Order order) {
        this.encoder = encoder;
        this.training = training;
        this.heldOut = heldOut;
        this.order = order;
        var embedder =
                new SentenceEmbedder(encoder.model(), encoder.tokenizer(), encoder.pooling());
        regression =
                ValueRegression.attach(
                        encoder.model(),
                        embedder::embed,
                        encoder.model().config().hiddenSize(),
                        goal.coding(),
                        order.seed());
    }

    @Override
    public Module model() {
        return encoder.model();
    }

    @Override
    public ParamSelection selection() {
        return encoder.model().selection();
    }

    @Override
    public Tokenizer tokenizer() {
        return encoder.tokenizer();
    }

    @Override
    public BatchSource<Valued> batches() {
        return BatchSource.ofRows(
                training.rows().size(),
                order.size(),
                order.shuffled() ? order.seed() : null,
                this::batch);
    }

    private Valued batch(int[] which) {
        BertInput input = encoder.input(training.rows(), which);
        double[] values = Arrays.stream(which).mapToDouble(i -> training.values()[i]).toArray();
        return new Valued(input, Ops.tensor(values));
    }

    @Override
    public String data() {
        return String.format(Locale.ROOT, "%,d rows with numbers", training.rows().size());
    }

    @Override
    public void run(Valued batch) {
        encoder.model().hidden(batch.input());
    }

    @Override
    public Objective<Valued> objective(@Nullable Adapter adapter) {
        return regression;
    }

    @Override
    public @Nullable Measure measure() {
        ValuedRows rows = heldOut;
        return rows == null ? null : () -> measured(rows);
    }

    private Measure.Result measured(ValuedRows rows) {
        double[][] answers = encoder.ask(rows.rows(), in -> regression.predict(in, Context.EMPTY));
        double squares = 0;
        double error = 0;
        for (int i = 0; i < answers.length; i++) {
            double off = answers[i][0] - rows.values()[i];
            squares += off * off / answers.length;
            error += Math.abs(off) / answers.length;
        }
        double root = Math.sqrt(squares);
        return new Measure.Result(
                root,
                JsonObject.of("loss", root, "absolute_error", error, "rows", (long) answers.length),
                String.format(Locale.ROOT, "%.4f (root of squares; absolute %.4f)", root, error));
    }

    @Override
    public List<String> heads() {
        return List.of("value_head");
    }

    @Override
    public void save(Path folder) {
        encoder.save(folder);
        saveBeside(folder);
    }

    @Override
    public void saveBeside(Path folder) {
        TensorFiles.write(folder.resolve(HEAD), regression.head().stateDict(), Map.of());
    }
}
