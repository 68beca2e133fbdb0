/// Figures of merit over arrays: calibration, ranking, agreement, with intervals.
@NullMarked
package io.github.panagrad.nn.metrics;

import org.jspecify.annotations.NullMarked;
