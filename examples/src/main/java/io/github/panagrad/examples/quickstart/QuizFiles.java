package io.github.panagrad.examples.quickstart;

import io.github.panagrad.examples.world.Quiz;
import io.github.panagrad.nn.io.AtomicFile;
import io.github.panagrad.nn.io.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// Writes quizzes as data files, such as `finetune` reads.
final class QuizFiles {
    private QuizFiles() {}

    static void write(Path file, Quiz quiz) {
        var lines = new StringBuilder();
        for (Quiz.Item item : quiz.items()) {
            lines.append(JsonObject.of("prompt", item.prompt(), "completion", item.completion()))
                    .append('\n');
        }
        AtomicFile.write(file, lines.toString().getBytes(StandardCharsets.UTF_8));
    }
}
