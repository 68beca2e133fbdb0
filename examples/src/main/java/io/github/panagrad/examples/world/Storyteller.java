package io.github.panagrad.examples.world;

import io.github.panagrad.examples.world.Lexicon.Food;
import io.github.panagrad.examples.world.Lexicon.Person;
import io.github.panagrad.examples.world.Lexicon.Place;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Tells one story after the other, the same ones for the same seed.
///
/// A story follows two or three people through four to seven events. They walk about, find things,
/// give them away or leave them somewhere, get food and eat it. The teller keeps the state of the
/// world, and so can end with how things stand, put questions, and know the answers.
public final class Storyteller {
    private static final int MOST_FOOD = Lexicon.NUMBERS.size() - 1;

    /// How often somebody asks, where it could just be said.
    private static final double SPOKEN = 0.15;

    private final Random random;

    /// Starts a sequence of stories.
    ///
    /// @param seed decides all of them
    public Storyteller(long seed) {
        // java.util.Random, since its sequence is part of its specification
        random = new Random(seed);
    }

    /// Tells the next story.
    public Story tell() {
        return new Telling().story();
    }

    private <T> T any(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    private <T> List<T> some(List<T> choices, int count) {
        List<T> shuffled = new ArrayList<>(choices);
        Collections.shuffle(shuffled, random);
        return shuffled.subList(0, count);
    }

    private boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    /// A thing in a story: it has a colour, and a holder or a place or neither.
    private static final class Thing {
        final String name;
        final String colour;
        @Nullable Person holder;
        @Nullable Place place;

        Thing(String name, String colour) {
            this.name = name;
            this.colour = colour;
        }
    }

    /// Food that somebody has.
    private static final class Stock {
        final Person owner;
        final Food food;
        int count;

        Stock(Person owner, Food food) {
            this.owner = owner;
            this.food = food;
        }
    }

    /// One story in the making.
    private final class Telling {
        private final List<Person> people = some(Lexicon.PEOPLE, 2 + random.nextInt(2));
        private final List<String> unusedThings = new ArrayList<>(some(Lexicon.THINGS, 3));
        private final Map<Person, Place> places = new LinkedHashMap<>();
        private final List<Thing> things = new ArrayList<>();
        private final List<Stock> stocks = new ArrayList<>();

        /// What happens, and nothing else.
        private final List<String> events = new ArrayList<>();

        /// What happens, and how things stand in between.
        private final List<String> narration = new ArrayList<>();

        /// How often the teller stops to say how things stand: in some stories never, in some
        /// often.
        private final double talkative = random.nextInt(4) / 4.0;

        private @Nullable Person lastSubject;

        Story story() {
            add(any(Lexicon.OPENINGS));
            int count = 4 + random.nextInt(4);
            for (int event = 0; event < count; event++) {
                happen();
                if (chance(talkative)) {
                    sumUp(1);
                }
            }
            List<Question> questions = questions();
            sumUp(3 + random.nextInt(3));
            return new Story(
                    String.join(" ", events), String.join(" ", narration), List.copyOf(questions));
        }

        private void add(String event) {
            events.add(event);
            narration.add(event);
        }

        /// Says a few things that are true now.
        private void sumUp(int count) {
            List<Question> questions = new ArrayList<>(questions());
            Collections.shuffle(questions, random);
            for (Question question : questions.subList(0, Math.min(count, questions.size()))) {
                narration.add(chance(SPOKEN) ? spoken(question) : question.statement());
                lastSubject = null;
            }
        }

        private void happen() {
            Person person = lastSubject != null && chance(0.3) ? lastSubject : any(people);
            double dice = random.nextDouble();
            if (dice < 0.40) {
                move(person);
            } else if (dice < 0.68) {
                handle(person);
            } else if (dice < 0.92) {
                feed(person);
            } else {
                add(any(Lexicon.ASIDES));
                lastSubject = null;
            }
        }

        private void move(Person person) {
            Place here = places.get(person);
            Place there = any(Lexicon.PLACES);
            while (there.equals(here)) {
                there = any(Lexicon.PLACES);
            }
            places.put(person, there);
            String verb = anyOf("went to", "walked to", "ran to", "came to");
            say(person, verb + " the " + there.name());
        }

        /// Lets a person do something with a thing: find, give or leave one.
        private void handle(Person person) {
            Thing held = firstHeldBy(person);
            if (held == null) {
                if (unusedThings.isEmpty()) {
                    move(person);
                    return;
                }
                Thing found = new Thing(unusedThings.removeLast(), any(Lexicon.COLOURS));
                found.holder = person;
                things.add(found);
                String verb = anyOf("found", "picked up", "got", "bought");
                say(person, verb + " a " + found.colour + " " + found.name);
            } else if (places.containsKey(person) && chance(0.4)) {
                held.holder = null;
                held.place = places.get(person);
                say(person, "left the " + held.name + " " + held.place.where());
            } else {
                Person other = otherThan(person);
                held.holder = other;
                String verb = anyOf("gave", "handed");
                say(person, verb + " the " + held.name + " to " + other.name());
            }
        }

        private void feed(Person person) {
            Stock stock = stockOf(person);
            if (stock == null) {
                stock = new Stock(person, any(Lexicon.FOODS));
                stock.count = 1 + random.nextInt(6);
                stocks.add(stock);
                say(person, "had " + stock.food.counted(stock.count));
            } else if (stock.count > 1 && chance(0.5)) {
                int eaten = 1 + random.nextInt(Math.min(3, stock.count - 1));
                stock.count -= eaten;
                say(person, "ate " + stock.food.counted(eaten));
            } else if (stock.count < MOST_FOOD) {
                int more = 1 + random.nextInt(Math.min(3, MOST_FOOD - stock.count));
                stock.count += more;
                String food = more == 1 ? stock.food.one() : stock.food.many();
                say(person, "got " + Lexicon.NUMBERS.get(more) + " more " + food);
            } else {
                move(person);
            }
        }

        /// Adds a sentence about a person, by pronoun where the last one was about them as well.
        private void say(Person person, String predicate) {
            String subject = person.name();
            if (person.equals(lastSubject) && chance(0.5)) {
                subject = person.pronoun();
                if (chance(0.2)) {
                    subject =
                            any(Lexicon.ADVERBIALS)
                                    + " "
                                    + person.pronoun().toLowerCase(Locale.ROOT);
                }
            } else if (chance(0.25)) {
                subject = any(Lexicon.ADVERBIALS) + " " + subject;
            }
            add(subject + " " + predicate + ".");
            lastSubject = person;
        }

        /// Lists all that can be asked now.
        private List<Question> questions() {
            List<Question> questions = new ArrayList<>();
            places.forEach((person, place) -> questions.add(whereIs(person, place)));
            for (Thing thing : things) {
                questions.add(colourOf(thing));
                if (thing.holder != null) {
                    questions.add(holderOf(thing, thing.holder));
                } else if (thing.place != null) {
                    questions.add(placeOf(thing, thing.place));
                }
            }
            stocks.forEach(stock -> questions.add(countOf(stock)));
            return questions;
        }

        private Question whereIs(Person person, Place place) {
            return new Question(
                    Question.Kind.WHERE_IS_SOMEBODY,
                    "Where is " + person.name() + "?",
                    place.where(),
                    person.name() + " was " + place.where() + ".",
                    person.pronoun() + " is " + place.where());
        }

        private Question colourOf(Thing thing) {
            return new Question(
                    Question.Kind.WHAT_COLOUR,
                    "What colour is the " + thing.name + "?",
                    thing.colour,
                    "The " + thing.name + " was " + thing.colour + ".",
                    "It is " + thing.colour);
        }

        private Question holderOf(Thing thing, Person holder) {
            return new Question(
                    Question.Kind.WHO_HAS,
                    "Who has the " + thing.name + "?",
                    holder.name(),
                    "The " + thing.name + " was with " + holder.name() + ".",
                    holder.name() + " has it");
        }

        private Question placeOf(Thing thing, Place place) {
            return new Question(
                    Question.Kind.WHERE_IS_SOMETHING,
                    "Where is the " + thing.name + "?",
                    place.where(),
                    "The " + thing.name + " was " + place.where() + ".",
                    "It is " + place.where());
        }

        private Question countOf(Stock stock) {
            String owner = stock.owner.name();
            String food = stock.food.many();
            return new Question(
                    Question.Kind.HOW_MANY,
                    "How many " + food + " does " + owner + " have?",
                    Lexicon.NUMBERS.get(stock.count),
                    "Now " + owner + " had " + stock.food.counted(stock.count) + ".",
                    stock.owner.pronoun() + " has " + Lexicon.NUMBERS.get(stock.count));
        }

        /// Lets one of the people ask, and a voice answer.
        private String spoken(Question question) {
            return "\"%s\" asked %s. \"%s,\" said %s."
                    .formatted(
                            question.text(),
                            any(people).name(),
                            question.reply(),
                            any(Lexicon.VOICES));
        }

        private String anyOf(String... choices) {
            return any(List.of(choices));
        }

        private @Nullable Thing firstHeldBy(Person person) {
            return things.stream()
                    .filter(thing -> person.equals(thing.holder))
                    .findFirst()
                    .orElse(null);
        }

        private @Nullable Stock stockOf(Person person) {
            return stocks.stream()
                    .filter(stock -> stock.owner.equals(person))
                    .findFirst()
                    .orElse(null);
        }

        private Person otherThan(Person person) {
            Person other = any(people);
            while (other.equals(person)) {
                other = any(people);
            }
            return other;
        }
    }
}
