package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.catalog.Entry;
import io.github.panagrad.nn.metrics.Spread;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The demonstrations that there are.
public final class Demonstrations {
    /// All of them.
    public static final List<Demonstration> ALL =
            List.of(
                    new CutCrossEntropyDemo(),
                    new CalibrationDemo(),
                    new ImbalanceDemo(),
                    new LabelNoiseDemo(),
                    new PerplexityWeightsDemo(),
                    new CoverageDemo(),
                    new PoftDemo(),
                    new MaskedThoughtDemo(),
                    new PreferenceDemo(),
                    new DistillationDemo(),
                    new UnlearningDemo(),
                    new RewardDemo(),
                    new ContrastiveDemo(),
                    new EmbeddingDemo(),
                    new ValuesDemo(),
                    new CompositionDemo(),
                    new HalvesDemo(),
                    new DepthScalingDemo(),
                    new MergingDemo(),
                    new IntruderDemo(),
                    new KappaDemo(),
                    new CordaDemo(),
                    new ModificationsDemo(),
                    new LabelNamesDemo());

    private Demonstrations() {}

    /// Finds demonstrations by their names.
    ///
    /// @param names names, or `all`
    /// @throws PanagradException if there is none of a name
    public static List<Demonstration> named(List<String> names) {
        return names.contains("all")
                ? ALL
                : names.stream().map(Demonstrations::named).distinct().toList();
    }

    private static Demonstration named(String name) {
        return ALL.stream()
                .filter(d -> d.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new PanagradException(
                                "demo",
                                "no such demonstration",
                                name,
                                "all, or some of " + ALL.stream().map(Demonstration::name).toList(),
                                ""));
    }

    /// Returns those that show what a line of a catalogue names.
    public static List<Demonstration> of(Entry<?> entry) {
        return ALL.stream()
                .filter(d ->
                        d.shows().contains(entry.name())
                                || d.shows().contains(entry.type().getSimpleName()))
                .toList();
    }

    /// Returns a section of Markdown: what is claimed, the figures of all arms as mean and standard
    /// deviation over seeds, and the verdicts.
    public static String markdown(Demonstration demonstration, Outcome outcome) {
        var text = new StringBuilder();
        text.append("### ").append(demonstration.name()).append("\n\n");
        String shown =
                demonstration.shows().stream()
                        .map(name -> "`" + name + "`")
                        .collect(Collectors.joining(", "));
        text.append("Shows ").append(shown).append(". ").append(demonstration.setting());
        text.append(" Seeds: ").append(outcome.seeds()).append(".\n\n");
        List<String> measures = outcome.measures();
        text.append("| arm | ").append(String.join(" | ", measures)).append(" |\n");
        text.append("|").append("---|".repeat(measures.size() + 1)).append("\n");
        outcome.arms()
                .forEach((arm, figures) -> {
                    text.append("| ").append(arm).append(" |");
                    for (String measure : measures) {
                        boolean has = figures.containsKey(measure);
                        text.append(' ')
                                .append(has ? text(outcome.spread(arm, measure)) + " |" : "|");
                    }
                    text.append("\n");
                });
        text.append("\n");
        for (Claim claim : demonstration.claims()) {
            String against = claim.against().isEmpty() ? outcome.plain() : claim.against();
            text.append("- ")
                    .append(claim.text())
                    .append(" (")
                    .append(claim.arm())
                    .append(" against ")
                    .append(against)
                    .append(", ")
                    .append(claim.measure())
                    .append("): **")
                    .append(claim.verdict(outcome).toString().replaceFirst(":", ":**"))
                    .append("\n");
        }
        return text.toString();
    }

    /// Counts need no digits behind the point.
    private static String text(Spread spread) {
        boolean large = Math.abs(spread.mean()) >= 1000;
        return large
                ? String.format(Locale.ROOT, "%,.0f ± %,.0f", spread.mean(), spread.sd())
                : spread.toString();
    }
}
