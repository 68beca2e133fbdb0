package io.github.panagrad.adapters.spectra;

import java.util.Locale;

/// Which singular vectors of a matrix W = U·Σ·Vᵀ are compared.
public enum Side {
    /// Columns of U, directions of a layer's outputs: what the paper counts intruders among.
    LEFT,
    /// Rows of Vᵀ, directions of its inputs.
    RIGHT;

    /// Returns how long the vectors are.
    int extent(int rows, int cols) {
        return this == LEFT ? rows : cols;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
