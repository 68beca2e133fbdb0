package io.github.panagrad.nn.train;

import io.github.panagrad.nn.Context;

/// Where a run stands.
///
/// @param number the number of the step, from 1
/// @param total how many steps there will be, 0 if not known
/// @param epoch the number of the pass over the data, from 0
/// @param context a generator for this batch of this step, to hand to the model
public record Step(long number, long total, int epoch, Context context) {}
