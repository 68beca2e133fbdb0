package io.github.panagrad.examples.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class StorytellerTest {
    private static final long SEED = 7;

    private static List<Story> stories(int count) {
        var teller = new Storyteller(SEED);
        return Stream.generate(teller::tell).limit(count).toList();
    }

    @Test
    void tellsTheSameStoriesForTheSameSeed() {
        assertThat(stories(50)).isEqualTo(stories(50));
        assertThat(new Storyteller(SEED + 1).tell()).isNotEqualTo(new Storyteller(SEED).tell());
    }

    @Test
    void hardlyEverRepeatsItself() {
        assertThat(new HashSet<>(stories(2000))).hasSizeGreaterThan(1990);
    }

    @Test
    void knowsTheLastPlaceOfEverybody() {
        for (Story story : stories(500)) {
            for (Question question : of(story, Question.Kind.WHERE_IS_SOMEBODY)) {
                String name = question.text().replaceAll("Where is (\\w+)\\?", "$1");
                assertThat(lastPlace(story.events(), name))
                        .as(story.events())
                        .isEqualTo(question.answer().replaceAll("^\\w+ the ", ""));
            }
        }
    }

    @Test
    void countsWhatWasHadGotAndEaten() {
        for (Story story : stories(500)) {
            for (Question question : of(story, Question.Kind.HOW_MANY)) {
                String name = question.text().replaceAll(".* does (\\w+) have\\?", "$1");
                assertThat(foodOf(story.events(), name))
                        .as(story.events())
                        .isEqualTo(Lexicon.NUMBERS.indexOf(question.answer()));
            }
        }
    }

    @Test
    void answersOnlyFromTheStory() {
        for (Story story : stories(500)) {
            for (Question question : story.questions()) {
                if (question.kind() != Question.Kind.HOW_MANY) {
                    String key = question.answer().replaceAll("^(in|at|on) the ", "");
                    assertThat(story.events()).contains(key);
                }
            }
        }
    }

    @Test
    void asksEveryKindOfQuestion() {
        assertThat(
                        stories(50).stream()
                                .flatMap(story -> story.questions().stream())
                                .map(Question::kind)
                                .collect(Collectors.toSet()))
                .containsExactlyInAnyOrder(Question.Kind.values());
    }

    @Test
    void keepsTheHeldOutStoriesOutOfTheTrainingOnes() {
        Quiz.Split split = Quiz.split(SEED, 1000, 200);

        Set<String> trained = stories(split.train());
        assertThat(trained).hasSize(1000).doesNotContainAnyElementsOf(stories(split.heldOut()));
        assertThat(split).isEqualTo(Quiz.split(SEED, 1000, 200));
        assertThat(split.heldOut().items())
                .extracting(Quiz.Item::kind)
                .containsOnly(Question.Kind.values());
    }

    @Test
    void marksAnswersByTheirWords() {
        Quiz quiz =
                new Quiz(
                        List.of(
                                new Quiz.Item("…", Question.Kind.WHO_HAS, "Anna"),
                                new Quiz.Item("…", Question.Kind.WHO_HAS, "Ben"),
                                new Quiz.Item("…", Question.Kind.WHAT_COLOUR, "red"),
                                new Quiz.Item("…", Question.Kind.WHAT_COLOUR, "red")));

        Quiz.Score score = quiz.score(List.of(" Anna", "Anna", "red.", "reddish"));

        assertThat(score.right()).isEqualTo(2);
        assertThat(score.accuracy()).isEqualTo(0.5);
        assertThat(score.byKind())
                .containsEntry(Question.Kind.WHO_HAS, 0.5)
                .containsEntry(Question.Kind.WHAT_COLOUR, 0.5);
        assertThatThrownBy(() -> quiz.score(List.of("Anna")))
                .hasMessage("quiz: 1 answers for 4 items");
    }

    private static Set<String> stories(Quiz quiz) {
        return quiz.items().stream()
                .map(item -> item.prompt().split("\n")[0])
                .collect(Collectors.toSet());
    }

    private static List<Question> of(Story story, Question.Kind kind) {
        return story.questions().stream().filter(question -> question.kind() == kind).toList();
    }

    /// Reads a story anew, without the teller's state: sentences with pronouns go to whoever the
    /// sentence before was about.
    private static List<String> sentencesAbout(String text, String name) {
        String[] sentences = text.split("(?<=\\.) ");
        String[] subjects = new String[sentences.length];
        for (int i = 0; i < sentences.length; i++) {
            int at = i;
            subjects[i] =
                    Lexicon.PEOPLE.stream()
                            .map(Lexicon.Person::name)
                            .filter(person -> sentences[at].matches(subject(person)))
                            .findFirst()
                            .orElse(
                                    sentences[i].matches("(.* )?(She|she|He|he) .*")
                                            ? subjects[i - 1]
                                            : "nobody");
        }
        return IntStream.range(0, sentences.length)
                .filter(i -> subjects[i].equals(name))
                .mapToObj(i -> sentences[i])
                .toList();
    }

    private static String subject(String person) {
        return "((" + String.join("|", Lexicon.ADVERBIALS) + ") )?" + person + " .*";
    }

    private static String lastPlace(String text, String name) {
        return sentencesAbout(text, name).stream()
                .filter(sentence -> sentence.matches(".* (went|walked|ran|came) to the \\w+\\."))
                .map(sentence -> sentence.replaceAll(".* (\\w+)\\.$", "$1"))
                .reduce("", (before, after) -> after);
    }

    private static int foodOf(String text, String name) {
        int count = 0;
        for (String sentence : sentencesAbout(text, name)) {
            String[] words = sentence.split(" ");
            int number =
                    Arrays.stream(words)
                            .mapToInt(Lexicon.NUMBERS::indexOf)
                            .filter(value -> value > 0)
                            .findFirst()
                            .orElse(0);
            count += sentence.contains(" ate ") ? -number : number;
        }
        return count;
    }
}
