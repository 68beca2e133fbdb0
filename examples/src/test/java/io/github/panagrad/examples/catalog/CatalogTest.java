package io.github.panagrad.examples.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.adapters.Bottleneck;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CatalogTest {
    private static Catalog<String> catalog() {
        Entry<String> entry =
                Entry.of(
                        "thing",
                        "a thing",
                        "x",
                        "nobody",
                        String.class,
                        s ->
                                s.integer("n")
                                        + " "
                                        + s.number("x")
                                        + " "
                                        + s.flag("on")
                                        + " "
                                        + s.choice("form", Bottleneck.Form.class)
                                        + " "
                                        + s.has("word"));
        return new Catalog<>(
                "--thing",
                List.of(
                        entry.with(
                                Setting.of("n", 3, "a number"),
                                Setting.of("x", 0.5, "another"),
                                Setting.of("on", "true", "a flag"),
                                Setting.of("form", "relu", "a form"),
                                Setting.of("word", "", "a word"))));
    }

    @Test
    void readsSettingsOverStandardOnes() {
        assertThat(catalog().make("thing")).isEqualTo("3 0.5 true RELU false");
        assertThat(catalog().make("thing:n=4,form=identity,word=w"))
                .isEqualTo("4 0.5 true IDENTITY true");
        assertThat(catalog().make("thing:n=4", Map.of("n", "5", "x", "2")))
                .isEqualTo("4 2.0 true RELU false");
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> catalog().make("other"))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("--thing")
                .hasMessageContaining("[thing]");
        assertThatThrownBy(() -> catalog().make("thing:m=1")).hasMessageContaining("n=3");
        assertThatThrownBy(() -> catalog().make("thing:n")).hasMessageContaining("key=value");
        assertThatThrownBy(() -> catalog().make("thing:n=x")).hasMessageContaining("whole number");
        assertThatThrownBy(() -> catalog().make("thing:x=y")).hasMessageContaining("a number");
        assertThatThrownBy(() -> catalog().make("thing:on=maybe")).hasMessageContaining("true or");
        assertThatThrownBy(() -> catalog().make("thing:form=round"))
                .hasMessageContaining("identity");
    }

    @Test
    void listsALineAnEntryWithItsSource() {
        assertThat(catalog().lines())
                .containsExactly("thing [n=3, x=0.5, on=true, form=relu, word]: a thing (nobody)");
        assertThat(Methods.CATALOG.lines())
                .allMatch(line -> line.matches("[a-z0-9+-]+( \\[.*])?: .+ \\(.+\\)"));
        assertThat(ObjectiveCatalog.CATALOG.lines()).hasSizeGreaterThan(5);
    }
}
