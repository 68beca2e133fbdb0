package io.github.panagrad.examples.task;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.Pooling;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/// An encoder that can be trained, with its tokenizer.
///
/// @param model the encoder
/// @param tokenizer its tokenizer
/// @param pooling how hidden states become one vector
public record Encoder(BertModel model, Tokenizer tokenizer, Pooling pooling) {
    private static final int ASKED = 32;

    /// Loads an encoder in F32.
    public static Encoder load(Path folder, Pooling pooling) {
        BertModel model = BertModel.load(folder);
        Tokenizer tokenizer = Tokenizer.load(folder);
        tokenizer.requireFits(model.config().vocabSize(), "encoder");
        model.to(DType.F32);
        model.unfreeze();
        return new Encoder(model, tokenizer, pooling);
    }

    /// Writes the encoder, with its tokenizer, to a folder.
    void save(Path folder) {
        model.save(folder);
        tokenizer.save(folder);
    }

    /// Puts some rows into a batch.
    BertInput input(List<int[]> rows, int[] which) {
        return BertInput.of(
                Arrays.stream(which).mapToObj(rows::get).toList(), model.config().padId());
    }

    /// Asks something of all rows, some at a time, with nothing recorded.
    ///
    /// Shapes: rows (N, T) → answers of `question`, a row each.
    double[][] ask(List<int[]> rows, Function<BertInput, Tensor> question) {
        double[][] answers = new double[rows.size()][];
        for (int from = 0; from < answers.length; from += ASKED) {
            int[] which = IntStream.range(from, Math.min(answers.length, from + ASKED)).toArray();
            double[] flat =
                    Ops.scope(
                            () -> Ops.noGrad(() -> question.apply(input(rows, which)).toDoubles()));
            int width = flat.length / which.length;
            for (int i = 0; i < which.length; i++) {
                answers[from + i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
            }
        }
        return answers;
    }
}
