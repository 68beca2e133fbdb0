package io.github.panagrad.nn.metrics;

import java.math.BigDecimal;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Finds the final answer behind a chain of thought, and compares answers: numbers by their value,
/// other texts by their letters.
///
/// ```java
/// Predicate<String> isRight = FinalAnswer.GSM8K.isRight(row.string("answer"));
/// ```
///
/// @param mark what stands before the answer; the last one in a text counts
public record FinalAnswer(String mark) {
    /// GSM8K's `#### 72` (Cobbe et al. 2021, arXiv 2110.14168).
    public static final FinalAnswer GSM8K = new FinalAnswer("####");

    private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9]+(\\.[0-9]+)?|[-+]?\\.[0-9]+");

    /// Checks the mark.
    public FinalAnswer {
        Checks.require("finalAnswer", !mark.isBlank(), "no mark", mark, "such as ####");
    }

    /// Returns what stands behind the last mark, up to the end of its line; null without a mark or
    /// where nothing follows.
    ///
    /// Numbers lose their separators of thousands and what else stands around them, such as `$`, `%`
    /// and a full stop.
    public @Nullable String find(String text) {
        int at = text.lastIndexOf(mark);
        if (at < 0) {
            return null;
        }
        String line = text.substring(at + mark.length()).strip().lines().findFirst().orElse("");
        String answer = line.strip();
        return answer.isEmpty() ? null : plain(answer);
    }

    private static String plain(String answer) {
        String bare = answer.replace(",", "").replaceAll("^[$€£]\\s*|\\s*[.%$€£]+$", "");
        return NUMBER.matcher(bare).matches() ? bare : answer;
    }

    /// Tells whether two answers are the same.
    public static boolean isSame(String first, String second) {
        String a = plain(first.strip());
        String b = plain(second.strip());
        if (NUMBER.matcher(a).matches() && NUMBER.matcher(b).matches()) {
            return new BigDecimal(a).compareTo(new BigDecimal(b)) == 0;
        }
        return a.equalsIgnoreCase(b);
    }

    /// Returns what tells right answers from wrong ones.
    ///
    /// @param solution a text with the right answer behind its mark
    /// @throws io.github.panagrad.engine.ground.PanagradException if it has none
    public Predicate<String> isRight(String solution) {
        String wanted = find(solution);
        Checks.require("finalAnswer", wanted != null, "no answer", solution, "text " + mark + " …");
        return text -> {
            String found = find(text);
            return found != null && wanted != null && isSame(found, wanted);
        };
    }
}
