package io.github.panagrad.examples.quickstart;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.examples.tuning.TuningRun;
import io.github.panagrad.examples.world.Question;
import io.github.panagrad.examples.world.Quiz;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.ExampleReader;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Trainer;
import io.github.panagrad.nn.train.TrainingReport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;

/// Teaches a model that only tells stories to answer questions about them.
///
/// @param folder where everything is written
/// @param steps how long to train
/// @param seed decides the questions, the adapter's first weights and the order
/// @param out where the story of it is told
public record Quickstart(Path folder, long steps, long seed, PrintWriter out) {
    private static final int TRAINING_ITEMS = 6000;
    private static final int HELD_OUT_ITEMS = 200;
    private static final int RANK = 16;
    private static final double LEARNING_RATE = 3e-3;
    private static final int ROWS = 8;
    private static final int ROW = 256;

    /// What came out.
    ///
    /// @param before the share of right answers of the model as it was
    /// @param after the share of right answers with the adapter
    /// @param interrupted whether the user ended it early
    public record Result(double before, double after, boolean interrupted) {}

    /// Runs it from beginning to end.
    public Result run() {
        Path base = folder.resolve("base");
        Path trainFile = folder.resolve("train.jsonl");
        StoryModel.unpack(base);
        CausalLM model = CausalLM.load(base);
        Quiz.Split quiz = Quiz.split(seed, TRAINING_ITEMS, HELD_OUT_ITEMS);
        QuizFiles.write(trainFile, quiz.train());
        QuizFiles.write(folder.resolve("test.jsonl"), quiz.heldOut());
        say(
                "The model: a Llama with %,d parameters that tells little stories. It was",
                model.parameterCount());
        say("pre-trained with Panagrad on text made up by Panagrad, and knows nothing else.");
        say("");
        say("The task: answer questions about a story. One of %,d to learn from:", TRAINING_ITEMS);
        say("");
        quiz.train().items().getFirst().prompt().lines().forEach(line -> say("    %s", line));
        say("    (%s)", quiz.train().items().getFirst().answer());
        say("");

        say("Asking it %d other questions, before it has learned the task ...", HELD_OUT_ITEMS);
        List<String> answersBefore = Exam.answers(model, quiz.heldOut());
        Quiz.Score before = quiz.heldOut().score(answersBefore);
        say("Right answers before: %s", share(before));
        say("");

        Adapter adapter = Lora.rank(RANK).seed(seed).attach(model, "**.*_proj");
        say(
                "Fine-tuning a LoRA adapter, %,d parameters beside the frozen model:",
                model.trainableCount());
        TrainingReport report = train(model, adapter, trainFile);
        if (report.stopped()) {
            say(
                    "Stopped after step %d; the adapter is in %s",
                    report.steps(), folder.resolve("adapter"));
            return new Result(before.accuracy(), Double.NaN, true);
        }
        say("");
        say("Asking it the same %d questions again ...", HELD_OUT_ITEMS);
        List<String> answersAfter = Exam.answers(model, quiz.heldOut());
        Quiz.Score after = quiz.heldOut().score(answersAfter);
        say("Right answers after:  %s", share(after));
        after.byKind().forEach((kind, part) -> say("    %-22s %5.1f %%", words(kind), 100 * part));
        say("");
        show(quiz.heldOut(), answersBefore, answersAfter);

        adapter.mergeAndDetach();
        model.save(folder.resolve("merged"));
        tellWhatNext();
        return new Result(before.accuracy(), after.accuracy(), false);
    }

    private TrainingReport train(CausalLM model, Adapter adapter, Path trainFile) {
        Dataset data =
                ExampleReader.of(model.tokenizer())
                        .context(model.config().maxPositions())
                        .read(trainFile);
        var source = BatchSource.of(Batches.of(data).size(ROWS).packed(ROW).shuffled(seed));
        var optimizer = AdamW.of(model.trainable()).lr(LEARNING_RATE);
        Trainer<Batch> trainer =
                Trainer.of(model, optimizer, Objectives.nextToken(model))
                        .steps(steps)
                        .seed(seed)
                        .maxGradNorm(1)
                        .schedule(Schedule.linear().warmupShare(0.05));
        return new TuningRun("fine-tuning", "tokens", folder, null, 0, false)
                .run(trainer, source, steps, () -> adapter.save(folder.resolve("adapter")));
    }

    /// Shows one question of each kind with both answers.
    private void show(Quiz quiz, List<String> before, List<String> after) {
        var missing = EnumSet.allOf(Question.Kind.class);
        List<Integer> shown = new ArrayList<>();
        for (int i = 0; i < quiz.items().size(); i++) {
            if (missing.remove(quiz.items().get(i).kind())) {
                shown.add(i);
            }
        }
        say("    %-38s %-16s %-26s %s", "question", "right answer", "before", "after");
        for (int i : shown) {
            Quiz.Item item = quiz.items().get(i);
            String question = item.prompt().lines().skip(1).findFirst().orElse("");
            say(
                    "    %-38s %-16s %-26s %s",
                    question.replaceFirst("^Question: ", ""),
                    item.answer(),
                    before.get(i),
                    after.get(i));
        }
        say("");
    }

    private void tellWhatNext() {
        say("In %s are", folder);
        say("    adapter/    the adapter, in PEFT's format");
        say("    merged/     model and adapter as one model");
        say("    loss.png    the loss curve; metrics.jsonl has its figures");
        say("    base/, train.jsonl, test.jsonl    what it began with");
        say("");
        say("Try next:");
        say(
                "    java -jar panagrad.jar generate --model %s --prompt \"It was a cold day. Anna\"",
                folder.resolve("base"));
        say(
                "    java -jar panagrad.jar eval --model %s --data %s",
                folder.resolve("merged"), folder.resolve("test.jsonl"));
        say(
                "    java -jar panagrad.jar finetune --model %s --data %s --output my-model --method full",
                folder.resolve("base"), folder.resolve("train.jsonl"));
        say("    java -jar panagrad.jar finetune --help       for a model and data of your own");
    }

    private static String words(Question.Kind kind) {
        return kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static String share(Quiz.Score score) {
        return String.format(
                Locale.ROOT,
                "%.1f %% (%d of %d)",
                100 * score.accuracy(),
                score.right(),
                score.total());
    }

    private void say(String text, Object... values) {
        out.println(values.length == 0 ? text : String.format(Locale.ROOT, text, values));
    }
}
