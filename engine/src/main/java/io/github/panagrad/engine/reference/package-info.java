/// The backend that runs the specification which each op carries, in double precision.
///
/// It knows no op in particular; a kernel written for speed belongs to another backend.
@NullMarked
package io.github.panagrad.engine.reference;

import org.jspecify.annotations.NullMarked;
