package io.github.panagrad.examples.catalog;

/// A setting of a method or an objective: `key=value` behind its name on the command line.
///
/// @param key its name
/// @param standard the value it has unless the user says otherwise, as text; empty for none
/// @param meaning what it says, in a few words
public record Setting(String key, String standard, String meaning) {
    /// Describes a setting whose standard is a number.
    public static Setting of(String key, Number standard, String meaning) {
        double value = standard.doubleValue();
        boolean whole = value == Math.rint(value) && Math.abs(value) < 1e9;
        return new Setting(key, whole ? "" + (long) value : "" + value, meaning);
    }

    /// Describes a setting whose standard is a word, or nothing.
    public static Setting of(String key, String standard, String meaning) {
        return new Setting(key, standard, meaning);
    }

    @Override
    public String toString() {
        return key + (standard.isEmpty() ? "" : "=" + standard);
    }
}
