package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.examples.Assets;
import io.github.panagrad.examples.catalog.Methods;
import io.github.panagrad.examples.catalog.ObjectiveCatalog;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DemonstrationsTest {
    private static final List<String> PACKAGES =
            List.of(
                    "nn.objective.",
                    "nn.data.",
                    "losses.",
                    "losses.ContrastiveLosses$",
                    "adapters.",
                    "adapters.sparse.",
                    "adapters.delta.",
                    "adapters.spectra.");

    static List<Demonstration> all() {
        return Demonstrations.ALL;
    }

    @ParameterizedTest
    @MethodSource("all")
    void everyArmIsMeasuredAfterAStep(Demonstration demonstration) {
        Path assets = Assets.require("");
        Map<String, Map<String, double[]>> arms = new LinkedHashMap<>();
        demonstration.measure(
                new Trial(assets, 1, 1, 8),
                (arm, measure, value) ->
                        arms.computeIfAbsent(arm, a -> new LinkedHashMap<>())
                                .put(measure, new double[] {value}));
        var outcome = new Outcome(demonstration.name(), 1, arms);

        assertThat(arms).hasSizeGreaterThan(1);
        // Claims are of arms and measures that there are.
        demonstration.claims().forEach(claim -> claim.verdict(outcome));
        assertThat(Demonstrations.markdown(demonstration, outcome))
                .startsWith("### " + demonstration.name())
                .contains("| " + outcome.plain() + " |");
    }

    @ParameterizedTest
    @MethodSource("all")
    void whatIsShownExists(Demonstration demonstration) {
        List<String> names =
                Stream.concat(
                                Methods.CATALOG.entries().stream(),
                                ObjectiveCatalog.CATALOG.entries().stream())
                        .map(entry -> entry.name())
                        .toList();
        assertThat(demonstration.shows())
                .isNotEmpty()
                .allMatch(name -> names.contains(name) || isClass(name));
        assertThat(demonstration.claims()).isNotEmpty();
        assertThat(demonstration.usualSeeds()).isGreaterThanOrEqualTo(3);
    }

    private static boolean isClass(String name) {
        return PACKAGES.stream().anyMatch(p -> exists("io.github.panagrad." + p + name));
    }

    private static boolean exists(String name) {
        try {
            Class.forName(name);
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    @Test
    void namesAreKnownOrRefused() {
        assertThat(Demonstrations.named(List.of("all"))).isEqualTo(Demonstrations.ALL);
        assertThat(Demonstrations.named(List.of("coverage", "poft")))
                .extracting(Demonstration::name)
                .containsExactly("coverage", "poft");
        assertThatThrownBy(() -> Demonstrations.named(List.of("nothing")))
                .hasMessageContaining("nothing")
                .hasMessageContaining("label-noise");
        assertThat(Demonstrations.ALL).extracting(Demonstration::name).doesNotHaveDuplicates();
    }

    @Test
    void linesOfTheCatalogueFindTheirs() {
        assertThat(Demonstrations.of(ObjectiveCatalog.CATALOG.entry("dpo")))
                .extracting(Demonstration::name)
                .containsExactly("preferences");
        assertThat(Demonstrations.of(ObjectiveCatalog.CATALOG.entry("ce"))).isEmpty();
    }
}
