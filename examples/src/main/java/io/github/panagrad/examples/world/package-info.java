/// A little world of people, places and things, and the stories that happen in it.
///
/// The quick start needs text to train on and a task whose answers can be checked, and a clone of
/// this repository must have both without a download. So the text is made here: [Storyteller]
/// simulates who goes where and who has what, tells it in simple English and remembers the truth;
/// [Quiz] asks about it. Everything follows from a seed. Nothing here knows of tensors or models.
@NullMarked
package io.github.panagrad.examples.world;

import org.jspecify.annotations.NullMarked;
