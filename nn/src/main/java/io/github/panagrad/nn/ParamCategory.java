package io.github.panagrad.nn;

/// What a parameter does in a transformer.
public enum ParamCategory {
    /// Makes the queries of attention.
    ATTN_Q,
    /// Makes the keys of attention.
    ATTN_K,
    /// Makes the values of attention.
    ATTN_V,
    /// Brings the heads of attention together.
    ATTN_O,
    /// Widens, in the feed-forward part.
    MLP_UP,
    /// Gates the widened, in the feed-forward part.
    MLP_GATE,
    /// Narrows again, in the feed-forward part.
    MLP_DOWN,
    /// Scales in a normalisation.
    NORM,
    /// Stands for tokens, positions or token types.
    EMBED,
    /// Makes the model's answer from the last hidden state.
    HEAD,
    /// Is added, wherever it is.
    BIAS,
    /// Anything else, such as an adapter's weights.
    OTHER
}
