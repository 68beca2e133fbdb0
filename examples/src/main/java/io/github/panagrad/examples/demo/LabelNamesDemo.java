package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.MaskTuning;
import io.github.panagrad.adapters.sparse.GradientDropout;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.DistributionLosses;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.models.SentenceEmbedder;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Labels requests by the likeness of their vectors to those of the labels' names, learns some of the
/// labels, and asks for the others as well: mask tuning with and without gradient dropout (arXiv
/// 2307.15049) beside LoRA, full fine-tuning and the untouched encoder.
final class LabelNamesDemo implements Demonstration {
    private static final String FULL = "full";
    private static final String LORA = "LoRA r 8";
    private static final String MASK = "mask tuning";
    private static final String DROPOUT = "mask tuning, gradient dropout";
    private static final String UNTOUCHED = "untouched";
    private static final String LEARNT = "learnt labels";
    private static final String OTHERS = "other labels";
    private static final String MEAN = "harmonic mean";
    private static final String ATTENTION = "**.attention.**.{query,key,value,dense}";
    private static final int LABELS = 39;
    private static final int SHOTS = 16;
    private static final int ROWS = 32;
    private static final int TESTED = 200;
    private static final int TOKENS = 32;

    @Override
    public String name() {
        return "label-names";
    }

    @Override
    public List<String> shows() {
        return List.of("mask", "MaskTuning", "GradientDropout");
    }

    @Override
    public String setting() {
        return "all-MiniLM on Banking77: the probability of a label is the softmax of 20 times the"
                + " cosine of the request and the label's name. 16 requests of each of 39 labels are"
                + " learnt in 40 steps of 32; measured are 200 requests with these labels and 200 with"
                + " the other 38, among their own kind. Masks are on the attention's weights.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.higher(MASK, LEARNT, "masks alone learn the labels").against(UNTOUCHED),
                Claim.higher(DROPOUT, LEARNT, "so they do with gradient dropout")
                        .against(UNTOUCHED),
                Claim.higher(MASK, OTHERS, "masks keep the other labels better than full tuning"),
                Claim.higher(DROPOUT, OTHERS, "gradient dropout keeps more of them").against(MASK),
                Claim.higher(DROPOUT, MEAN, "on the whole it is better").against(MASK));
    }

    @Override
    public int usualSeeds() {
        return 3;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        LabelledTexts train =
                LabelledTexts.banking(trial.path("datasets/banking77/train.csv"))
                        .perLabel(trial.rows(SHOTS), trial.seed());
        LabelledTexts test =
                LabelledTexts.banking(trial.path("datasets/banking77/test.csv"))
                        .sample(5 * trial.rows(TESTED), 0);
        List<String> labels = train.labels();
        List<String> learnt = labels.subList(0, LABELS);
        List<String> others = labels.subList(LABELS, labels.size());
        for (String arm : List.of(FULL, LORA, MASK, DROPOUT, UNTOUCHED)) {
            var model = Matcher.load(trial.path("models/all-minilm-l6-v2"));
            Adapter adapter = attach(arm, model, trial.seed());
            if (!arm.equals(UNTOUCHED)) {
                fit(model, arm, adapter, train.among(learnt), learnt, trial);
            }
            double a = model.accuracy(test.among(learnt), learnt, trial.rows(TESTED));
            double b = model.accuracy(test.among(others), others, trial.rows(TESTED));
            figures.add(arm, LEARNT, a);
            figures.add(arm, OTHERS, b);
            figures.add(arm, MEAN, a + b == 0 ? 0 : 2 * a * b / (a + b));
            if (adapter != null && adapter.method() instanceof MaskTuning) {
                figures.add(arm, "share off", MaskTuning.shareOff(adapter));
            }
        }
    }

    private static @Nullable Adapter attach(String arm, Matcher model, long seed) {
        return switch (arm) {
            case LORA -> Lora.rank(8).alpha(16).seed(seed).attach(model.encoder, ATTENTION);
            case MASK, DROPOUT -> MaskTuning.standard().attach(model.encoder, ATTENTION);
            default -> null;
        };
    }

    private static void fit(
            Matcher model,
            String arm,
            @Nullable Adapter adapter,
            LabelledTexts data,
            List<String> names,
            Trial trial) {
        double lr = adapter == null ? 2e-5 : arm.equals(LORA) ? 5e-4 : 1e-3;
        Objective<int[]> objective =
                (rows, step) -> {
                    Tensor logits = model.logits(data, rows, names, step.context());
                    return LossTerm.of(
                            Losses.crossEntropy(logits, model.targets(data, rows, names))
                                    .mul(rows.length),
                            rows.length);
                };
        GradientDropout<int[]> dropout = null;
        if (adapter != null && !arm.equals(LORA)) {
            objective = MaskTuning.regularized(objective, adapter);
        }
        if (adapter != null && arm.equals(DROPOUT)) {
            Teacher<BertModel> untouched = Teacher.adapterOff(model.encoder, adapter::enabled);
            dropout =
                    new GradientDropout<>(
                            1,
                            adapter.parameters().values(),
                            (rows, step) -> {
                                Tensor theirs =
                                        untouched.ask(
                                                step,
                                                m ->
                                                        model.logits(
                                                                data, rows, names, Context.EMPTY));
                                Tensor ours = model.logits(data, rows, names, step.context());
                                return LossTerm.of(
                                        DistributionLosses.forwardKl(ours, theirs).sum(),
                                        rows.length);
                            });
            objective = dropout.watching(objective);
        }
        var trainer =
                Trainer.of(model.encoder, AdamW.of(model.encoder.trainable()).lr(lr), objective)
                        .steps(trial.steps(40))
                        .seed(trial.seed())
                        .maxGradNorm(1)
                        .schedule(Schedule.cosine().warmupShare(0.1));
        if (dropout != null) {
            trainer.transform(dropout);
        }
        trainer.run(epoch -> batches(new Rng.Draw(trial.seed(), epoch).permutation(data.size())));
    }

    private static List<int[]> batches(int[] order) {
        var batches = new ArrayList<int[]>();
        for (int from = 0; from < order.length; from += ROWS) {
            batches.add(Arrays.copyOfRange(order, from, Math.min(order.length, from + ROWS)));
        }
        return batches;
    }

    /// Labels texts by the likeness to the labels' names.
    private record Matcher(BertModel encoder, Tokenizer tokenizer) {
        static Matcher load(Path folder) {
            BertModel encoder = BertModel.load(folder);
            encoder.to(DType.F32);
            encoder.unfreeze();
            // Vectors are means of hidden states, which it has no part in.
            encoder.freeze(PathPattern.of("pooler"));
            return new Matcher(encoder, Tokenizer.load(folder));
        }

        /// Shapes: n rows, m names → (n, m).
        Tensor logits(LabelledTexts data, int[] rows, List<String> names, Context context) {
            Tensor texts = embed(Arrays.stream(rows).mapToObj(data.texts()::get).toList(), context);
            Tensor labels =
                    embed(names.stream().map(name -> name.replace('_', ' ')).toList(), context);
            return texts.matmul(labels.transpose()).mul(20);
        }

        private Tensor embed(List<String> texts, Context context) {
            List<int[]> rows =
                    texts.stream()
                            .map(tokenizer::encode)
                            .map(row -> row.length <= TOKENS ? row : Arrays.copyOf(row, TOKENS))
                            .toList();
            return new SentenceEmbedder(encoder, tokenizer, Pooling.MEAN)
                    .embed(BertInput.of(rows, encoder.config().padId()), context);
        }

        Tensor targets(LabelledTexts data, int[] rows, List<String> names) {
            int[] numbers = data.numbers(names);
            return Ops.indices(Arrays.stream(rows).map(i -> numbers[i]).toArray(), rows.length);
        }

        /// Returns which share of the first texts gets its own label.
        double accuracy(LabelledTexts data, List<String> names, int most) {
            encoder.training(false);
            int[] all = IntStream.range(0, Math.min(most, data.size())).toArray();
            int right = 0;
            for (int[] rows : batches(all)) {
                int[] best =
                        Ops.noGrad(() ->
                                Ops.scope(() ->
                                        logits(data, rows, names, Context.EMPTY)
                                                .argmax(1, false)
                                                .toInts()));
                int[] own = targets(data, rows, names).toInts();
                right +=
                        (int) IntStream.range(0, own.length).filter(i -> best[i] == own[i]).count();
            }
            return right / (double) all.length;
        }
    }
}
