/// Optimizers, their parameter groups and masks, and learning-rate schedules.
@NullMarked
package io.github.panagrad.nn.optim;

import org.jspecify.annotations.NullMarked;
