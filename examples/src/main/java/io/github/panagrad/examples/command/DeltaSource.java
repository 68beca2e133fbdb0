package io.github.panagrad.examples.command;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Reads what fine-tuning has changed, in whichever form it was saved.
final class DeltaSource {
    private DeltaSource() {}

    /// Reads a change: a delta's folder, an adapter's, or a tuned model's, whose difference to the base
    /// is taken.
    ///
    /// @throws PanagradException if the folder holds none of them, or one of another model
    static Delta read(Path folder, CausalLM base) {
        if (Files.exists(folder.resolve("delta_config.json"))) {
            return Delta.load(folder);
        }
        if (Files.exists(folder.resolve("adapter_config.json"))) {
            Adapter adapter = Adapter.load(base, folder);
            try {
                return adapter.delta();
            } finally {
                adapter.detach();
            }
        }
        if (Files.exists(folder.resolve("config.json"))) {
            return Delta.difference(base.stateDict(), CausalLM.load(folder).stateDict());
        }
        throw new PanagradException(
                folder.toString(),
                "no change of a model in this folder",
                "",
                "delta_config.json, adapter_config.json, or a tuned model's config.json",
                "");
    }

    static List<Delta> read(List<Path> folders, CausalLM base) {
        return folders.stream().map(folder -> read(folder, base)).toList();
    }
}
