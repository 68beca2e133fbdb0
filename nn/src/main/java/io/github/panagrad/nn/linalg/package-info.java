/// Matrix decompositions over plain row-major arrays, values only, no gradients.
///
/// What initialises or merges adapters lives on these; what trains does not belong here.
@NullMarked
package io.github.panagrad.nn.linalg;

import org.jspecify.annotations.NullMarked;
