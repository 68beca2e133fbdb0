/// The training loop and what goes with it: objectives, metrics, checkpoints, evaluation.
@NullMarked
package io.github.panagrad.nn.train;

import org.jspecify.annotations.NullMarked;
