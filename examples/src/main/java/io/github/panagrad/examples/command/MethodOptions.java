package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.catalog.Entry;
import io.github.panagrad.examples.catalog.Methods;
import io.github.panagrad.examples.catalog.ObjectiveCatalog;
import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.examples.tuning.Method;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Says what of a model is trained, and to what end.
final class MethodOptions {
    @Option(
            names = "--method",
            defaultValue = "lora",
            paramLabel = "NAME[:KEY=VALUE,…]",
            description = {
                "What is trained: one of the methods listed below, with its settings, such as"
                        + " dora:rank=16.",
                "Default: ${DEFAULT-VALUE}."
            })
    private String method;

    @Option(
            names = "--objective",
            defaultValue = "ce",
            paramLabel = "NAME[:KEY=VALUE,…]",
            description = {
                "What is made small: one of the objectives listed below, with its settings, such as"
                        + " focal:gamma=2.",
                "Default: ${DEFAULT-VALUE}."
            })
    private String objective;

    @Option(
            names = "--rank",
            paramLabel = "R",
            description = "Short for the setting rank of low-rank methods. Default: 8.")
    private @Nullable String rank;

    @Option(
            names = "--alpha",
            paramLabel = "X",
            description =
                    "Short for the setting alpha of low-rank methods. Default: twice the rank.")
    private @Nullable String alpha;

    @Option(
            names = "--dropout",
            paramLabel = "P",
            description = "Short for the setting dropout of low-rank methods. Default: 0.")
    private @Nullable String dropout;

    @Option(
            names = "--targets",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Layers to put an adapter on, by name (q_proj) or path pattern"
                            + " (model.layers.{0..3}.**), or kappa:N for the N best conditioned."
                            + " Default: all linear layers.")
    private @Nullable List<String> targets;

    @Option(
            names = "--density",
            paramLabel = "X",
            description = "Short for the setting density of sparse methods. Default: 0.01.")
    private @Nullable String density;

    @Option(
            names = "--lr",
            paramLabel = "X",
            description =
                    "Learning rate. Default: 5e-4 for full, 2e-3 for low-rank methods, 1e-3 for"
                            + " sparse, 1e-2 for prompts; for small models, large ones want a tenth.")
    private @Nullable Double lr;

    MethodOptions() {}

    Method method() {
        Entry<Method> entry = Methods.CATALOG.entry(method);
        var given = new LinkedHashMap<String, String>();
        put(given, entry, "rank", rank);
        put(given, entry, "alpha", alpha);
        put(given, entry, "dropout", dropout);
        put(given, entry, "density", density);
        put(given, entry, "targets", targets == null ? null : String.join("+", targets));
        return Methods.CATALOG.make(method, given);
    }

    private static void put(
            Map<String, String> given, Entry<?> entry, String key, @Nullable String value) {
        if (value != null) {
            if (!entry.has(key)) {
                throw new PanagradException(
                        "--" + key,
                        "not a setting of method " + entry.name(),
                        value,
                        "one of " + entry.settings(),
                        "");
            }
            given.put(key, value);
        }
    }

    /// Tells whether the objective counts rows for more that are hard to get right.
    boolean favoursHardRows() {
        return ObjectiveCatalog.CATALOG.entry(objective).name().equals("focal");
    }

    List<Goal> objective() {
        return ObjectiveCatalog.CATALOG.make(objective);
    }

    double lr() {
        return lr == null ? method().usualLr() : lr;
    }
}
