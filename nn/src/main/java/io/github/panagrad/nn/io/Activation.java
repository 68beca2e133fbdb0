package io.github.panagrad.nn.io;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// The function between the two products of a feed-forward block.
public enum Activation {
    /// x·σ(x); `silu` or `swish` in files.
    SILU,
    /// x·Φ(x), with the error function; `gelu` in files.
    GELU,
    /// The approximation of [#GELU] by tanh; `gelu_new`, `gelu_fast` or `gelu_pytorch_tanh`.
    GELU_TANH,
    /// max(x, 0); `relu` in files.
    RELU;

    static final Map<String, Activation> NAMES = names();

    private static Map<String, Activation> names() {
        var names = new LinkedHashMap<String, Activation>();
        names.put("silu", SILU);
        names.put("swish", SILU);
        names.put("gelu", GELU);
        names.put("gelu_new", GELU_TANH);
        names.put("gelu_fast", GELU_TANH);
        names.put("gelu_pytorch_tanh", GELU_TANH);
        names.put("relu", RELU);
        return Collections.unmodifiableMap(names);
    }
}
