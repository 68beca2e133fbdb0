/// What the singular values and vectors of weights say: which tensors are well conditioned, how a
/// tuned matrix differs from its base, and how to take such differences back.
///
/// What is here reads weights and answers with reports, selections and deltas; it trains nothing.
@NullMarked
package io.github.panagrad.adapters.spectra;

import org.jspecify.annotations.NullMarked;
