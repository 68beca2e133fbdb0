package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.PanagradException;

/// How a model turns its queries and keys by their positions.
///
/// @param theta the base of the wavelengths
/// @param scaling how the frequencies are stretched for long contexts
public record RopeConfig(double theta, Scaling scaling) {
    /// How frequencies are stretched.
    public sealed interface Scaling {}

    /// No stretching; `default` in files.
    public record None() implements Scaling {}

    /// All frequencies divided by a factor; `linear` in files (Chen et al., arXiv 2306.15595).
    ///
    /// @param factor what they are divided by
    public record Linear(double factor) implements Scaling {}

    /// Low frequencies divided by a factor, high ones kept, a blend in between; `llama3` in files.
    ///
    /// @param factor what low frequencies are divided by
    /// @param lowFreqFactor wavelengths above original context over this count as low
    /// @param highFreqFactor wavelengths below original context over this count as high
    /// @param originalMaxPositions the context that the model was pre-trained with
    public record Llama3(
            double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositions)
            implements Scaling {}

    /// Reads `rope_theta` and `rope_scaling`, or the newer `rope_parameters` that holds both.
    ///
    /// @throws PanagradException if the kind of scaling is unknown or a factor is missing or wrong
    static RopeConfig read(JsonObject json) {
        var fields = new ConfigFields(json);
        fields.require("partial_rotary_factor", 1L);
        double theta = fields.positive("rope_theta", 10000.0);
        if (json.has("rope_parameters")) {
            JsonObject parameters = json.object("rope_parameters");
            return new RopeConfig(
                    new ConfigFields(parameters).positive("rope_theta", theta),
                    scaling(json, "rope_parameters"));
        }
        return new RopeConfig(
                theta, json.has("rope_scaling") ? scaling(json, "rope_scaling") : new None());
    }

    private static Scaling scaling(JsonObject json, String name) {
        JsonObject scaling = json.object(name);
        for (String key : scaling.names()) {
            if (key.endsWith("_attention")) {
                throw scaling.error(
                        key, "is not supported", "the same positions in all layers", "");
            }
        }
        // `type` is the older spelling; a file may have both, and then they agree.
        String field = scaling.has("rope_type") ? "rope_type" : "type";
        String type = scaling.string(field, "default");
        var fields = new ConfigFields(scaling);
        fields.require("partial_rotary_factor", 1L);
        return switch (type) {
            case "default" -> new None();
            case "linear" -> new Linear(factor(scaling));
            case "llama3" -> llama3(scaling, fields);
            default ->
                    throw scaling.error(
                            field, "is not supported", "one of default, linear, llama3", "");
        };
    }

    private static Llama3 llama3(JsonObject scaling, ConfigFields fields) {
        double low = scaling.number("low_freq_factor");
        double high = scaling.number("high_freq_factor");
        if (!(low > 0) || !(high > low)) {
            throw scaling.error(
                    "high_freq_factor", "is out of range", "more than low_freq_factor, " + low, "");
        }
        return new Llama3(
                factor(scaling), low, high, fields.positive("original_max_position_embeddings"));
    }

    private static double factor(JsonObject scaling) {
        double factor = scaling.number("factor");
        if (!(factor >= 1)) {
            throw scaling.error("factor", "is out of range", "1 or more", "");
        }
        return factor;
    }
}
