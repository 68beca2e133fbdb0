package io.github.panagrad.examples.world;

import java.util.List;

/// The words the world is made of.
final class Lexicon {
    /// Names a person and the pronoun that stands for them.
    record Person(String name, String pronoun) {}

    /// Names a place with the preposition it takes: in the kitchen, at the river.
    record Place(String name, String preposition) {
        String where() {
            return preposition + " the " + name;
        }
    }

    /// Names what is eaten, as one and as many.
    record Food(String one, String many) {
        String counted(int count) {
            return NUMBERS.get(count) + " " + (count == 1 ? one : many);
        }
    }

    static final List<Person> PEOPLE =
            List.of(
                    new Person("Anna", "She"),
                    new Person("Ben", "He"),
                    new Person("Clara", "She"),
                    new Person("David", "He"),
                    new Person("Emma", "She"),
                    new Person("Felix", "He"),
                    new Person("Grace", "She"),
                    new Person("Henry", "He"),
                    new Person("Ida", "She"),
                    new Person("Jack", "He"),
                    new Person("Kate", "She"),
                    new Person("Leo", "He"),
                    new Person("Mia", "She"),
                    new Person("Noah", "He"),
                    new Person("Olga", "She"),
                    new Person("Paul", "He"),
                    new Person("Rosa", "She"),
                    new Person("Sam", "He"),
                    new Person("Tina", "She"),
                    new Person("Victor", "He"));

    static final List<Place> PLACES =
            List.of(
                    new Place("kitchen", "in"),
                    new Place("garden", "in"),
                    new Place("park", "in"),
                    new Place("forest", "in"),
                    new Place("library", "in"),
                    new Place("barn", "in"),
                    new Place("attic", "in"),
                    new Place("bakery", "in"),
                    new Place("school", "at"),
                    new Place("river", "at"),
                    new Place("market", "at"),
                    new Place("station", "at"),
                    new Place("lake", "at"),
                    new Place("hill", "on"),
                    new Place("beach", "on"),
                    new Place("bridge", "on"));

    static final List<String> THINGS =
            List.of(
                    "ball", "book", "key", "lamp", "cup", "hat", "kite", "drum", "bell", "coat",
                    "map", "rope", "spoon", "doll", "coin", "shell", "letter", "basket", "clock",
                    "flute");

    static final List<String> COLOURS =
            List.of("red", "blue", "green", "yellow", "black", "white", "brown", "purple");

    static final List<Food> FOODS =
            List.of(
                    new Food("apple", "apples"),
                    new Food("pear", "pears"),
                    new Food("plum", "plums"),
                    new Food("nut", "nuts"),
                    new Food("egg", "eggs"),
                    new Food("bun", "buns"),
                    new Food("carrot", "carrots"),
                    new Food("cherry", "cherries"));

    static final List<String> NUMBERS =
            List.of(
                    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
                    "ten");

    /// How a story begins: never with a name, so that a name always follows a blank and is always
    /// the same token.
    static final List<String> OPENINGS =
            List.of(
                    "It was a sunny morning.",
                    "It was a cold day.",
                    "It was a rainy afternoon.",
                    "The sun was warm.",
                    "The wind was strong.",
                    "The birds were singing.",
                    "Once there was a small town.",
                    "One day the town was very quiet.");

    /// What happens meanwhile and changes nothing.
    static final List<String> ASIDES =
            List.of(
                    "A dog barked.",
                    "A cat slept by the door.",
                    "The clouds moved slowly.",
                    "A bird sang a song.",
                    "Some leaves fell from a tree.",
                    "A horse ran by.",
                    "It was quiet for a while.",
                    "The rain stopped.");

    static final List<String> ADVERBIALS =
            List.of("Then", "After that", "Later", "After lunch", "Soon", "A little later");

    /// Who answers when somebody asks.
    static final List<String> VOICES =
            List.of("the baker", "a neighbour", "the old man", "a girl", "the teacher", "a boy");

    private Lexicon() {}
}
