package io.github.panagrad.examples.world;

import java.util.List;

/// A story and what can be asked about it.
///
/// @param events what happened, sentence after sentence: where questions are asked
/// @param narration the same, with sentences in between and at the end that say how things stand:
///     where stories are told
/// @param questions every question that the events answer
public record Story(String events, String narration, List<Question> questions) {}
