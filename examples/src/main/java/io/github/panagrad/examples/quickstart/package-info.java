/// The quick start's model and what is done with it: made from nothing by [StoryModel], shipped in
/// the jar, and taught to answer questions while the user watches.
@NullMarked
package io.github.panagrad.examples.quickstart;

import org.jspecify.annotations.NullMarked;
