package io.github.panagrad.losses;

/// How the losses of tokens become one number.
public enum Reduction {
    /// Their weighted mean over the tokens that count.
    MEAN,
    /// Their weighted sum.
    SUM,
    /// Not at all: a loss a token, 0 where ignored.
    NONE
}
