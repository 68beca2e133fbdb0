package io.github.panagrad.engine.ground;

/// Where a tensor lives and computes: a backend's name and the number of the device in it.
///
/// @param backend `cpu`, `reference`, or a name that another backend brings, such as `tornado`
/// @param index which of the backend's devices; 0 is the first
public record Device(String backend, int index) {
    /// The vector kernels of the CPU.
    public static final Device CPU = new Device("cpu", 0);

    /// The specification of every op, in plain Java and double precision: slow and right.
    public static final Device REFERENCE = new Device("reference", 0);

    /// Parses `name` or `name:index`.
    ///
    /// @throws PanagradException if the index is not a number
    public static Device parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            return new Device(text, 0);
        }
        try {
            return new Device(
                    text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new PanagradException(
                    "device", "unreadable", text, "a name such as cpu or tornado:1", "");
        }
    }

    /// Returns `cpu`, or `tornado:1` for a device other than a backend's first.
    @Override
    public String toString() {
        return index == 0 ? backend : backend + ":" + index;
    }
}
