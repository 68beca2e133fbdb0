/// What a model can be tuned for: language, labels, likeness, numbers.
///
/// A task knows its kind of model, reads its kind of data, and measures what came out; what of the
/// model is trained is a matter of [io.github.panagrad.examples.tuning].
@NullMarked
package io.github.panagrad.examples.task;

import org.jspecify.annotations.NullMarked;
