package io.github.panagrad.examples.world;

/// Asks one thing about a story, and knows the answer.
///
/// @param kind what is asked for
/// @param text the question, with its question mark
/// @param answer the one right answer, in the words of the story
/// @param statement question and answer as a sentence that tells it
/// @param reply the answer as somebody says it
public record Question(Kind kind, String text, String answer, String statement, String reply) {
    /// Tells the kinds of question apart.
    public enum Kind {
        /// The place where a person is at the end.
        WHERE_IS_SOMEBODY,
        /// The place where somebody left a thing.
        WHERE_IS_SOMETHING,
        /// The person who has a thing at the end.
        WHO_HAS,
        /// The colour of a thing.
        WHAT_COLOUR,
        /// How many of something to eat a person has at the end.
        HOW_MANY
    }
}
