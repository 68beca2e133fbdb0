package io.github.panagrad.nn.models;

import io.github.panagrad.engine.RopeScaling;
import io.github.panagrad.engine.RopeTable;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.io.LlamaConfig;
import io.github.panagrad.nn.io.RopeConfig;

/// The rotary table that all layers of a model share, made when it is first used.
final class Rotary {
    private volatile RopeTable table;

    Rotary(LlamaConfig config) {
        table =
                RopeTable.of(
                        config.headDim(),
                        config.rope().theta(),
                        config.maxPositions(),
                        scaling(config.rope().scaling()));
    }

    private static RopeScaling scaling(RopeConfig.Scaling scaling) {
        return switch (scaling) {
            case RopeConfig.None none -> RopeScaling.NONE;
            case RopeConfig.Linear linear -> RopeScaling.linear(linear.factor());
            case RopeConfig.Llama3 llama3 ->
                    RopeScaling.llama3(
                            llama3.factor(),
                            llama3.lowFreqFactor(),
                            llama3.highFreqFactor(),
                            llama3.originalMaxPositions());
        };
    }

    /// Returns the table in the dtype and on the device of an activation.
    RopeTable table(Tensor like) {
        RopeTable have = table;
        if (have.cos().dtype() != like.dtype() || !have.cos().device().equals(like.device())) {
            have = have.to(like.dtype(), like.device());
            table = have;
        }
        return have;
    }
}
