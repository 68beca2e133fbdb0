package io.github.panagrad.nn.data;

/// What the tags of examples mean in data of preferences.
public final class Preference {
    /// The tag of a bad answer that is marked on its own.
    public static final int BAD = 0;

    /// The tag of a good answer that is marked on its own.
    public static final int GOOD = 1;

    /// The tag of an answer that belongs to another prompt.
    public static final int MISMATCHED = 2;

    private Preference() {}

    /// Returns the tag of the chosen answer of a pair.
    public static int chosen(int pair) {
        return 2 * pair;
    }

    /// Returns the tag of the rejected answer of a pair.
    public static int rejected(int pair) {
        return 2 * pair + 1;
    }

    /// Returns the pair that a tag of either answer belongs to.
    public static int pair(int tag) {
        return tag >> 1;
    }

    /// Tells whether a tag is that of a chosen answer.
    public static boolean isChosen(int tag) {
        return (tag & 1) == 0;
    }
}
