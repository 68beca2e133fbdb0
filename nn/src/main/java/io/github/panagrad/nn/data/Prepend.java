package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// Puts what is known beside a text in front of it, as `fact [SEP] text` or by another template: facts
/// that were looked up, or explanations that a model wrote.
///
/// Source: NLKI, arXiv 2508.19724, which prepends an explanation to each question.
///
/// ```java
/// var prepend = Prepend.read(Path.of("facts.jsonl")).template("{fact}\n{text}");
/// String input = prepend.join("17", "What do bees make?");
/// ```
public final class Prepend {
    private static final String FACT = "{fact}";
    private static final String TEXT = "{text}";

    private final Map<String, String> facts;
    private final String template;

    private Prepend(Map<String, String> facts, String template) {
        this.facts = facts;
        this.template = template;
    }

    /// Takes facts by the id of the row that they belong to, joined as `{fact} [SEP] {text}`.
    public static Prepend of(Map<String, String> facts) {
        return new Prepend(new LinkedHashMap<>(facts), FACT + " [SEP] " + TEXT);
    }

    /// Reads JSON lines `{"id", "fact"}`; several facts of one id are put one after another.
    ///
    /// @throws PanagradException if the file cannot be read, is empty, or a row lacks a field; the
    ///     message names file and line
    public static Prepend read(Path file) {
        var facts = new LinkedHashMap<String, String>();
        JsonLines.read(
                file,
                row -> facts.merge(row.string("id"), row.string("fact"), (a, b) -> a + " " + b));
        if (facts.isEmpty()) {
            throw new PanagradException(file.toString(), "empty fact file", "", "", "");
        }
        return of(facts);
    }

    /// Sets how fact and text are put together.
    ///
    /// @param pattern with `{fact}` and `{text}` in it; the separator is what stands between
    public Prepend template(String pattern) {
        if (!pattern.contains(FACT) || !pattern.contains(TEXT)) {
            throw new PanagradException(
                    "prepend", "the template lacks a place", pattern, "{fact} and {text}", "");
        }
        return new Prepend(facts, pattern);
    }

    /// Returns a text with the facts of its row.
    ///
    /// @throws PanagradException if there is none
    public String join(String id, String text) {
        String fact = facts.get(id);
        if (fact == null) {
            throw new PanagradException(
                    "prepend", "no fact for the row", id, "one of " + facts.size() + " ids", "");
        }
        // In one go: a fact or text may hold a placeholder itself.
        int at = template.indexOf(FACT);
        int then = template.indexOf(TEXT);
        int first = Math.min(at, then);
        int second = Math.max(at, then);
        return template.substring(0, first)
                + (at < then ? fact : text)
                + template.substring(first + FACT.length(), second)
                + (at < then ? text : fact)
                + template.substring(second + TEXT.length());
    }
}
