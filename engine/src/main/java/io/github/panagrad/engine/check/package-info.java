/// Checks for ops and functions: gradients against finite differences, kernels against the
/// reference.
///
/// For tests, this library's and its users'; nothing here is needed to train.
@NullMarked
package io.github.panagrad.engine.check;

import org.jspecify.annotations.NullMarked;
