/// Figures of merit over arrays: calibration, ranking, agreement, with intervals; and what models are
/// asked for them. Nothing here trains.
@NullMarked
package io.github.panagrad.nn.metrics;

import org.jspecify.annotations.NullMarked;
