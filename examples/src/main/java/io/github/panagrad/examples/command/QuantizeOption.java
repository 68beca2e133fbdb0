package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.models.CausalLM;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Says in how few bits frozen weights are kept.
final class QuantizeOption {
    @Option(
            names = "--quantize",
            paramLabel = "TYPE",
            description =
                    "Keep the frozen model's matrices in 9 bits an element (q8) or about 4.2 (nf4, as"
                            + " QLoRA, arXiv 2305.14314). Default: as they are in the file.")
    private @Nullable Stored type;

    QuantizeOption() {}

    /// The types that a model can be quantised to.
    enum Stored {
        Q8(DType.Q8),
        NF4(DType.NF4);

        private final DType dtype;

        Stored(DType dtype) {
            this.dtype = dtype;
        }
    }

    /// Tells whether the user wants it.
    boolean isWanted() {
        return type != null;
    }

    /// Quantises a model, if the user wants that.
    ///
    /// @throws PanagradException if it is no language model, or none of its matrices is long enough
    void apply(Module model) {
        if (type == null) {
            return;
        }
        if (!(model instanceof CausalLM)) {
            throw new PanagradException(
                    "--quantize", "not for encoders", "", "a language model", "leave it out");
        }
        List<String> left = model.to(type.dtype);
        if (left.size() == model.parameters().size()) {
            throw new PanagradException(
                    "--quantize",
                    "no matrix can be quantised",
                    left.size() + " parameters",
                    "matrices with rows of 32 elements or more",
                    "leave it out");
        }
    }
}
