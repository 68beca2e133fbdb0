package io.github.panagrad.examples.command;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Says which model a command works with.
final class ModelOptions {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description =
                    "Folder with config.json, safetensors and tokenizer.json, as on Hugging Face.")
    private Path folder;

    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "Folder with an adapter in PEFT's format, to put on the model.")
    private @Nullable Path adapter;

    @Mixin private QuantizeOption quantized;

    ModelOptions() {}

    Path folder() {
        return folder;
    }

    /// Loads the model, with the adapter if there is one.
    CausalLM load() {
        CausalLM model = CausalLM.load(folder);
        quantized.apply(model);
        if (adapter != null) {
            Adapter.load(model, adapter);
        }
        return model;
    }
}
