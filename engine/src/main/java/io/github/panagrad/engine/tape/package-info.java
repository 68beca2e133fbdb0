/// Recording and differentiation: what an op is, the nodes it leaves, the walk backwards.
///
/// Tensors, ops and the tape know each other (a tensor its node, a node its op, an op is written in
/// tensors); together they stand above `spi` and never see a backend.
@NullMarked
package io.github.panagrad.engine.tape;

import org.jspecify.annotations.NullMarked;
