package io.github.panagrad.examples.quickstart;

import io.github.panagrad.examples.world.Quiz;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.CausalLM;
import java.util.List;

/// Lets a model sit a quiz.
final class Exam {
    /// The longest answers have three tokens; a few more show what else a model says.
    private static final int MOST_TOKENS = 6;

    private Exam() {}

    /// Returns a model's answers, the likeliest words each time, up to the end of the line.
    static List<String> answers(CausalLM model, Quiz quiz) {
        Sampling likeliest = Sampling.greedy().maxTokens(MOST_TOKENS);
        return quiz.items().stream()
                .map(item -> {
                    String text = model.generate(item.prompt(), likeliest, piece -> {});
                    return text.lines().findFirst().orElse("").strip();
                })
                .toList();
    }
}
