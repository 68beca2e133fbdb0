/// Sparse fine-tuning: rules that choose which entries of the weights train, methods built on them,
/// and masks that are trained themselves.
///
/// Nothing here knows a model, a trainer's loop or an optimizer from within: masks go to the
/// optimizer, halves to the parameters, trained masks around layers.
@NullMarked
package io.github.panagrad.adapters.sparse;

import org.jspecify.annotations.NullMarked;
