package io.github.panagrad.nn;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// A pattern over the dotted paths of modules and parameters, such as `**.{q,v}_proj`.
///
/// | text | matches |
/// |---|---|
/// | `*` | anything within one segment |
/// | `**` | any number of whole segments, also none |
/// | `{a,b}` | either text |
/// | `{2..5}` | the numbers 2 to 5 |
/// | `p\|q` | what `p` or `q` matches |
///
/// Everything that is chosen by path is chosen through this class: adapters, masks, taps, freezing
/// and parameter groups.
public final class PathPattern {
    private static final int NEAREST = 3;

    private final String text;
    private final Pattern regex;

    private PathPattern(String text) {
        this.text = text;
        this.regex = Pattern.compile(new Compiler(text).compile());
    }

    /// Compiles a pattern.
    ///
    /// @throws PanagradException if a brace is not closed, or a range has no numbers
    public static PathPattern of(String text) {
        if (text.isBlank()) {
            throw new PanagradException(
                    "pattern",
                    "empty",
                    "''",
                    "a path such as model.layers.*.mlp",
                    "** matches all");
        }
        return new PathPattern(text);
    }

    /// Compiles a pattern that matches what any of the given ones does.
    public static PathPattern anyOf(Collection<String> texts) {
        return of(String.join("|", texts));
    }

    /// Tells whether the whole path matches.
    public boolean matches(String path) {
        return regex.matcher(path).matches();
    }

    /// Tells whether the path or one above it matches: `model.layers.0` covers all below it.
    public boolean covers(String path) {
        for (int end = path.length(); end > 0; end = path.lastIndexOf('.', end - 1)) {
            if (matches(path.substring(0, end))) {
                return true;
            }
        }
        return false;
    }

    /// Returns the entries whose path matches, in order.
    ///
    /// @throws PanagradException if there is none; the message lists near paths
    public <T> Map<String, T> select(Map<String, T> byPath) {
        var chosen = new LinkedHashMap<String, T>();
        byPath.forEach((path, value) -> {
            if (matches(path)) {
                chosen.put(path, value);
            }
        });
        if (chosen.isEmpty()) {
            throw nothing(byPath.keySet());
        }
        return chosen;
    }

    /// Returns the entries that the pattern covers, in order.
    ///
    /// @throws PanagradException if there is none; the message lists near paths
    public <T> Map<String, T> selectCovered(Map<String, T> byPath) {
        var chosen = new LinkedHashMap<String, T>();
        byPath.forEach((path, value) -> {
            if (covers(path)) {
                chosen.put(path, value);
            }
        });
        if (chosen.isEmpty()) {
            throw nothing(byPath.keySet());
        }
        return chosen;
    }

    /// Makes the error for a pattern that none of the paths matches.
    public PanagradException nothing(Collection<String> paths) {
        var near = nearest(paths);
        return new PanagradException(
                "pattern",
                "matches none of " + paths.size() + " paths",
                "'" + text + "'",
                near.isEmpty() ? "" : "something like " + String.join(" or ", near),
                "* stands for one segment, ** for any number");
    }

    /// Picks paths whose last segment resembles the pattern's, one for each such segment.
    private List<String> nearest(Collection<String> paths) {
        String wanted = lastSegment(text);
        var first = new LinkedHashMap<String, String>();
        paths.forEach(path -> {
            if (!path.isEmpty()) {
                first.putIfAbsent(lastSegment(path), path);
            }
        });
        return first.entrySet().stream()
                .sorted(Comparator.comparingInt(e -> distance(wanted, e.getKey())))
                .limit(NEAREST)
                .map(Map.Entry::getValue)
                .toList();
    }

    private static String lastSegment(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    /// Counts the edits from one text to the other (Levenshtein).
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }

    /// Returns the pattern's text.
    @Override
    public String toString() {
        return text;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PathPattern p && p.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /// Turns a pattern into a regular expression.
    private static final class Compiler {
        private static final int LONGEST_RANGE = 10_000;

        private final String text;
        private final StringBuilder regex = new StringBuilder();
        private int at;

        Compiler(String text) {
            this.text = text;
        }

        String compile() {
            boolean segmentStart = true;
            while (at < text.length()) {
                char c = text.charAt(at);
                if (segmentStart && text.startsWith("**", at)) {
                    segmentStart = segments();
                } else if (c == '*') {
                    regex.append("[^.]*");
                    at++;
                    segmentStart = false;
                } else if (c == '{') {
                    braces();
                    segmentStart = false;
                } else if (c == '|') {
                    regex.append('|');
                    at++;
                    segmentStart = true;
                } else {
                    regex.append(Pattern.quote(String.valueOf(c)));
                    at++;
                    segmentStart = c == '.';
                }
            }
            return regex.toString();
        }

        /// Compiles `**` with the dot after it, or before it where it is the last segment.
        private boolean segments() {
            at += 2;
            if (at < text.length() && text.charAt(at) == '.') {
                at++;
                regex.append("(?:[^.]+\\.)*");
                return true;
            }
            String dot = Pattern.quote(".");
            if (regex.toString().endsWith(dot)) {
                regex.setLength(regex.length() - dot.length());
                regex.append("(?:\\.[^.]+)*");
            } else {
                regex.append(".*");
            }
            return false;
        }

        private void braces() {
            int close = text.indexOf('}', at);
            if (close < 0) {
                throw new PanagradException(
                        "pattern", "a { without its }", "'" + text + "'", "{a,b} or {2..5}", "");
            }
            String inside = text.substring(at + 1, close);
            at = close + 1;
            regex.append("(?:");
            int dots = inside.indexOf("..");
            if (dots >= 0) {
                range(inside, dots);
            } else {
                String[] choices = inside.split(",", -1);
                for (int i = 0; i < choices.length; i++) {
                    regex.append(i == 0 ? "" : "|");
                    regex.append(Pattern.quote(choices[i]).replace("*", "\\E[^.]*\\Q"));
                }
            }
            regex.append(')');
        }

        private void range(String inside, int dots) {
            try {
                int from = Integer.parseInt(inside.substring(0, dots).strip());
                int to = Integer.parseInt(inside.substring(dots + 2).strip());
                if (from <= to && to - from < LONGEST_RANGE) {
                    for (int i = from; i <= to; i++) {
                        regex.append(i == from ? "" : "|").append(i);
                    }
                    return;
                }
            } catch (NumberFormatException e) {
                // Reported below with the ranges that are the wrong way round.
            }
            throw new PanagradException(
                    "pattern", "not a range", "{" + inside + "}", "numbers such as {2..5}", "");
        }
    }
}
