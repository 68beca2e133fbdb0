package io.github.panagrad.nn.train;

/// How a run ended.
///
/// @param steps how many steps were taken, those before a resumption included
/// @param tokens how many tokens were predicted in all these steps
/// @param lastLoss the loss of the last step, NaN if none was taken
/// @param stopped whether the run was asked to stop before its end
public record TrainingReport(long steps, long tokens, double lastLoss, boolean stopped) {}
