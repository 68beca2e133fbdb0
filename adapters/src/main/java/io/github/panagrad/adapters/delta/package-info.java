/// What fine-tuning has done to a model's weights, as a value: taken as a difference, added, scaled,
/// saved, put on a model and taken off again.
///
/// What is here knows parameters by path, and neither models nor how the change came about.
@NullMarked
package io.github.panagrad.adapters.delta;

import org.jspecify.annotations.NullMarked;
