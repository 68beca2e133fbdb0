package io.github.panagrad.examples.world;

import java.util.List;

/// A story and what can be asked about it.
///
/// @param text what happened, sentence after sentence
/// @param summary how things stood at the end, in the same style; goes with the text where stories
///     are told, and is left out where questions are asked
/// @param questions every question that the text answers
public record Story(String text, String summary, List<Question> questions) {}
