package io.github.panagrad.engine;

/// How the angular frequencies of rotary embeddings are stretched for longer contexts.
@FunctionalInterface
public interface RopeScaling {
    /// No stretching.
    RopeScaling NONE = frequency -> frequency;

    /// Returns the scaled angular frequency, in radians a position.
    double apply(double frequency);

    /// Divides all frequencies by a factor (position interpolation: Chen et al., arXiv 2306.15595).
    static RopeScaling linear(double factor) {
        return frequency -> frequency / factor;
    }

    /// Divides the low frequencies by a factor, keeps the high ones, and blends in between, as
    /// Llama 3.1 does (Grattafiori et al., arXiv 2407.21783, and the published model code).
    ///
    /// @param factor what low frequencies are divided by
    /// @param lowFreqFactor wavelengths longer than original context over this count as low
    /// @param highFreqFactor wavelengths shorter than original context over this count as high
    /// @param originalMaxPositions the context the model was pre-trained with
    static RopeScaling llama3(
            double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositions) {
        return frequency -> {
            double wavelength = 2 * Math.PI / frequency;
            double turns = originalMaxPositions / wavelength;
            if (turns > highFreqFactor) {
                return frequency;
            }
            if (turns < lowFreqFactor) {
                return frequency / factor;
            }
            double smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
            return (1 - smooth) * frequency / factor + smooth * frequency;
        };
    }
}
