package io.github.panagrad.nn.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonObjectTest {
    @TempDir Path folder;

    @Test
    void readsTypedFields() {
        var json =
                JsonObject.parse(
                        "t",
                        """
                        {"s": "a", "i": 7, "d": 1e-05, "b": true, "n": null,
                         "o": {"x": 1}, "l": [1, 2], "t": ["a"]}\
                        """);
        assertThat(json.string("s")).isEqualTo("a");
        assertThat(json.string("n", "none")).isEqualTo("none");
        assertThat(json.integer("i")).isEqualTo(7);
        assertThat(json.integer("missing", 3)).isEqualTo(3);
        assertThat(json.number("d")).isEqualTo(1e-5);
        assertThat(json.number("i")).isEqualTo(7.0);
        assertThat(json.bool("b", false)).isTrue();
        assertThat(json.bool("missing", true)).isTrue();
        assertThat(json.has("n")).isFalse();
        assertThat(json.object("o").integer("x")).isEqualTo(1);
        assertThat(json.ints("l")).containsExactly(1, 2);
        assertThat(json.strings("t")).containsExactly("a");
        assertThat(json.names()).containsExactly("s", "i", "d", "b", "n", "o", "l", "t");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | t: not a JSON object; got nothing; expected {…}",
                "[1] | t: not a JSON object; got a list; expected {…}",
                "3 | t: not a JSON object; got a number; expected {…}",
                "{\"a\":1} x | t: not valid JSON at line 1, column 9; ",
                "{\"a\":1} {} | t: text after the end of the JSON object at line 1, column 10",
                "{\"a\":1,\"a\":2} | t: not valid JSON at line 1, column 11; Duplicate Object"
                        + " property",
                "{\"a\":NaN} | t: not valid JSON at line 1, column 9; ",
                "{\"a\":1e999} | t: number too large at line 1, column 6; got 1e999",
                "{\"a\" | t: not valid JSON at line 1, column 5; Unexpected end-of-input",
            })
    void refusesWhatIsNotOneObject(String text, String message) {
        assertThatThrownBy(() -> JsonObject.parse("t", text))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith(message.strip())
                .hasMessageNotContaining("\n");
    }

    @Test
    void saysFileAndLineOfBrokenJson() throws Exception {
        Path file = Files.writeString(folder.resolve("config.json"), "{\n  \"a\": 1,\n  oops\n}");
        assertThatThrownBy(() -> JsonObject.read(file))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith(file + ": not valid JSON at line 3, column ");
    }

    @Test
    void saysThatAFileIsMissing() {
        Path file = folder.resolve("none.json");
        assertThatThrownBy(() -> JsonObject.read(file))
                .isInstanceOf(PanagradException.class)
                .hasMessage(file + ": no such file");
    }

    @Test
    void namesFileFieldAndPathOfAWrongField() {
        var json = JsonObject.parse("c.json", "{\"o\": {\"x\": \"seven\", \"l\": [1, 1.5]}}");
        assertThatThrownBy(() -> json.object("o").integer("x"))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "c.json: o.x is of the wrong type; got seven;"
                                + " expected a whole number of at most 32 bits");
        assertThatThrownBy(() -> json.object("o").ints("l"))
                .hasMessageStartingWith("c.json: o.l[1] is of the wrong type; got 1.5");
        assertThatThrownBy(() -> json.integer("y")).hasMessage("c.json: no field y; got o");
        assertThatThrownBy(() -> JsonObject.parse("c", "{\"i\": 4294967296}").integer("i"))
                .hasMessageContaining("at most 32 bits");
    }

    @Test
    void refusesAbsurdNesting() {
        String deep = "{\"a\":" + "[".repeat(100_000);
        assertThatThrownBy(() -> JsonObject.parse("t", deep))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("nesting depth");
    }

    @Test
    void keepsUnknownFieldsAndTheirOrderWhenChanged() {
        var json = JsonObject.parse("t", "{\"z\": [1.5, null, \"é\\n\"], \"a\": 1}");
        var changed = json.with("a", 2).with("b", new int[] {1, 2}).without("none");
        assertThat(changed.toString()).isEqualTo("{\"z\":[1.5,null,\"é\\n\"],\"a\":2,\"b\":[1,2]}");
        assertThat(json.integer("a")).isEqualTo(1);
        assertThat(JsonObject.parse("t", changed.toPretty())).isEqualTo(changed);
        assertThat(changed.without("z").names()).containsExactly("a", "b");
    }

    @Test
    void buildsFromValuesAndWritesAFile() {
        var json =
                JsonObject.of(
                        "f",
                        0.1f,
                        "l",
                        Arrays.asList(1, null),
                        "o",
                        JsonObject.of("x", true),
                        "n",
                        null,
                        "big",
                        Long.MAX_VALUE);
        Path file = folder.resolve("deep/er/out.json");
        json.write(file);
        assertThat(file)
                .hasContent(
                        """
                        {
                          "f" : 0.1,
                          "l" : [
                            1,
                            null
                          ],
                          "o" : {
                            "x" : true
                          },
                          "n" : null,
                          "big" : 9223372036854775807
                        }
                        """);
        assertThat(JsonObject.read(file)).isEqualTo(json);
    }

    @Test
    void refusesValuesThatJsonDoesNotKnow() {
        assertThatThrownBy(() -> JsonObject.of("x", Double.NaN))
                .isInstanceOf(PanagradException.class)
                .hasMessage("json: x cannot be written; got NaN; expected a finite number");
        assertThatThrownBy(() -> JsonObject.of("x", List.of(new Object())))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith("json: x has a type that JSON does not know");
    }
}
