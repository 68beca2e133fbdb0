package io.github.panagrad.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PathPatternTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "**.{q,v}_proj; model.layers.0.self_attn.q_proj; true",
                "**.{q,v}_proj; model.layers.0.self_attn.k_proj; false",
                "**.{q,v}_proj; q_proj; true",
                "**.{q,v}_proj; model.layers.0.self_attn.q_proj.weight; false",
                "model.layers.*.mlp.**; model.layers.3.mlp.up_proj; true",
                "model.layers.*.mlp.**; model.layers.3.mlp; true",
                "model.layers.*.mlp.**; model.layers.3.mlpx; false",
                "model.layers.*.mlp.**; model.layers.3.4.mlp.up_proj; false",
                "model.layers.{2..11}.mlp; model.layers.11.mlp; true",
                "model.layers.{2..11}.mlp; model.layers.1.mlp; false",
                "model.layers.{2..11}.mlp; model.layers.12.mlp; false",
                "model.**.up_proj; model.layers.3.mlp.up_proj; true",
                "model.**.up_proj; model.up_proj; true",
                "model.**.up_proj; modelx.up_proj; false",
                "lm_head|**.o_proj; lm_head; true",
                "lm_head|**.o_proj; a.b.o_proj; true",
                "**; anything.at.all; true",
                "*; one; true",
                "*; one.two; false",
                "*norm; input_layernorm; true",
                "**.{*norm,*layernorm}.weight; model.layers.0.input_layernorm.weight; true",
                "a.c; abc; false",
                "a(b; a(b; true"
            })
    void matches(String pattern, String path, boolean expected) {
        assertThat(PathPattern.of(pattern).matches(path)).isEqualTo(expected);
    }

    @Test
    void coversWhatIsBelow() {
        var layer = PathPattern.of("model.layers.0");
        assertThat(layer.covers("model.layers.0.mlp.up_proj.weight")).isTrue();
        assertThat(layer.covers("model.layers.0")).isTrue();
        assertThat(layer.covers("model.layers.01.mlp")).isFalse();
        assertThat(layer.covers("model.layers")).isFalse();
    }

    @Test
    void selectsInOrder() {
        var byPath = new LinkedHashMap<String, Integer>();
        byPath.put("b.weight", 1);
        byPath.put("a.weight", 2);
        byPath.put("a.bias", 3);
        assertThat(PathPattern.of("*.weight").select(byPath))
                .containsExactly(Map.entry("b.weight", 1), Map.entry("a.weight", 2));
        assertThat(PathPattern.anyOf(List.of("a", "c")).selectCovered(byPath))
                .containsExactly(Map.entry("a.weight", 2), Map.entry("a.bias", 3));
    }

    @Test
    void nothingMatchedNamesNearPaths() {
        var byPath = new LinkedHashMap<String, Integer>();
        byPath.put("model.layers.0.self_attn.q_proj", 1);
        byPath.put("model.layers.0.self_attn.v_proj", 1);
        byPath.put("model.layers.1.self_attn.q_proj", 1);
        byPath.put("model.layers.0.mlp", 1);
        byPath.put("model.embed_tokens", 1);
        assertThatThrownBy(() -> PathPattern.of("**.qproj").select(byPath))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "pattern: matches none of 5 paths; got '**.qproj'; expected something like"
                                + " model.layers.0.self_attn.q_proj or"
                                + " model.layers.0.self_attn.v_proj or model.layers.0.mlp; * stands"
                                + " for one segment, ** for any number");
    }

    @Test
    void brokenPatternsAreNamed() {
        assertThatThrownBy(() -> PathPattern.of("a.{b"))
                .hasMessage("pattern: a { without its }; got 'a.{b'; expected {a,b} or {2..5}");
        assertThatThrownBy(() -> PathPattern.of("a.{5..2}"))
                .hasMessageContaining("pattern: not a range; got {5..2}");
        assertThatThrownBy(() -> PathPattern.of(" ")).hasMessageContaining("pattern: empty");
    }
}
