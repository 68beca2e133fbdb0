package io.github.panagrad.examples.demo;

/// What a demonstration is to show: that one arm is better than another in a measure.
///
/// @param text the claim in words
/// @param arm the arm that is to be better
/// @param against the arm that it is compared with; empty for the plain one
/// @param measure in what it is to be better
/// @param higher whether a higher figure is better
/// @param least by how much it is to be better at least; below 0, how much worse it may be
public record Claim(
        String text, String arm, String against, String measure, boolean higher, double least) {
    /// Claims that a figure of an arm is higher than that of the plain one.
    public static Claim higher(String arm, String measure, String text) {
        return new Claim(text, arm, "", measure, true, 0);
    }

    /// Claims that a figure of an arm is lower than that of the plain one.
    public static Claim lower(String arm, String measure, String text) {
        return new Claim(text, arm, "", measure, false, 0);
    }

    /// Returns the same against another arm.
    public Claim against(String other) {
        return new Claim(text, arm, other, measure, higher, least);
    }

    /// Returns the weaker claim that the arm is worse by less than a margin.
    public Claim within(double margin) {
        return new Claim(text, arm, against, measure, higher, -margin);
    }

    /// Judges the claim by figures.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if they are of other arms or
    ///     measures
    public Verdict verdict(Outcome outcome) {
        String other = against.isEmpty() ? outcome.plain() : against;
        return Verdict.of(
                outcome.values(other, measure), outcome.values(arm, measure), higher, least);
    }
}
