/// From files to batches: examples of token ids and labels, shuffled, padded or packed.
///
/// Everything is plain int arrays; nothing here knows a tensor or a model. The same data, options
/// and seed give the same batches, from the start or resumed in the middle.
///
/// Legend: B rows of a batch, T tokens of a row. Arrays of shape (B, T) lie row by row.
@NullMarked
package io.github.panagrad.nn.data;

import org.jspecify.annotations.NullMarked;
