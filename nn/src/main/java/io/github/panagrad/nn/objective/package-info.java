/// Objectives beyond plain cross-entropy: compositions of losses, heads and teachers.
@NullMarked
package io.github.panagrad.nn.objective;

import org.jspecify.annotations.NullMarked;
