package io.github.panagrad.examples.world;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/// The task that the quick start fine-tunes for: read a story, answer a question about it.
///
/// @param items stories with one question each
public record Quiz(List<Item> items) {
    /// One thing to answer.
    ///
    /// @param prompt the story, the question and the cue to answer
    /// @param kind what is asked for
    /// @param answer the one right answer
    public record Item(String prompt, Question.Kind kind, String answer) {
        /// Returns what a model has to write after the prompt, with the blank before it.
        public String completion() {
            return " " + answer;
        }

        /// Tells whether a model's text is the right answer: the same words, blanks at the ends
        /// and a final full stop aside.
        public boolean accepts(String text) {
            String stripped = text.strip();
            if (stripped.endsWith(".")) {
                stripped = stripped.substring(0, stripped.length() - 1);
            }
            return stripped.equals(answer);
        }
    }

    /// Splits items into what is trained on and what is held out.
    public record Split(Quiz train, Quiz heldOut) {}

    /// Makes two quizzes that have no story in common.
    ///
    /// @param seed decides both
    public static Split split(long seed, int train, int heldOut) {
        var teller = new Storyteller(seed);
        var random = new Random(seed);
        Set<String> told = new HashSet<>();
        var held = take(teller, random, told, heldOut);
        return new Split(new Quiz(take(teller, random, told, train)), new Quiz(held));
    }

    private static List<Item> take(Storyteller teller, Random random, Set<String> told, int count) {
        List<Item> items = new ArrayList<>(count);
        Question.Kind[] kinds = Question.Kind.values();
        while (items.size() < count) {
            Story story = teller.tell();
            // Kinds take turns, so that each counts the same; a story without the kind is passed
            // by.
            Question.Kind kind = kinds[items.size() % kinds.length];
            List<Question> fitting =
                    story.questions().stream().filter(question -> question.kind() == kind).toList();
            if (!fitting.isEmpty() && told.add(story.events())) {
                Question question = fitting.get(random.nextInt(fitting.size()));
                items.add(new Item(prompt(story, question), question.kind(), question.answer()));
            }
        }
        return List.copyOf(items);
    }

    private static String prompt(Story story, Question question) {
        return story.events() + "\nQuestion: " + question.text() + "\nAnswer:";
    }

    /// Counts right answers.
    ///
    /// @param right in all
    /// @param total items
    /// @param byKind the share of right answers for each kind of question
    public record Score(int right, int total, Map<Question.Kind, Double> byKind) {
        /// Returns the share of right answers, from 0 to 1.
        public double accuracy() {
            return total == 0 ? 0 : (double) right / total;
        }
    }

    /// Marks a model's answers.
    ///
    /// @param answers one for each item, in order
    public Score score(List<String> answers) {
        if (answers.size() != items.size()) {
            throw new IllegalArgumentException(
                    "quiz: " + answers.size() + " answers for " + items.size() + " items");
        }
        Map<Question.Kind, int[]> counts = new EnumMap<>(Question.Kind.class);
        int right = 0;
        for (int i = 0; i < answers.size(); i++) {
            Item item = items.get(i);
            int[] count = counts.computeIfAbsent(item.kind(), kind -> new int[2]);
            count[1]++;
            if (item.accepts(answers.get(i))) {
                count[0]++;
                right++;
            }
        }
        Map<Question.Kind, Double> shares = new EnumMap<>(Question.Kind.class);
        counts.forEach((kind, count) -> shares.put(kind, (double) count[0] / count[1]));
        return new Score(right, items.size(), shares);
    }
}
