package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Einstein summation over permutations, reshapes, sums and matrix products: one product a pair of
/// operands, from the left.
final class Einsum {
    /// What the dimensions of `...` are called inside, the last one first.
    private static final String ELLIPSIS = "₀₁₂₃₄₅₆₇₈₉";

    private static final String DOTS = "...";

    private final String equation;
    private final List<Labelled> operands = new ArrayList<>();
    private final Map<Character, Integer> extents = new HashMap<>();
    private final String result;

    /// A tensor and the letter of each dimension, all different.
    private record Labelled(Tensor tensor, String labels) {
        Labelled permuted(String order) {
            int[] dims = order.chars().map(labels::indexOf).toArray();
            return new Labelled(tensor.permute(dims), order);
        }
    }

    private Einsum(String equation, Tensor[] tensors) {
        this.equation = equation;
        String text = equation.replace(" ", "");
        int arrow = text.indexOf("->");
        String[] terms = (arrow < 0 ? text : text.substring(0, arrow)).split(",", -1);
        if (terms.length != tensors.length) {
            throw error(
                    "number of operands differs",
                    tensors.length + " tensors",
                    Integer.toString(terms.length));
        }
        int leading = 0;
        for (int i = 0; i < terms.length; i++) {
            String term = expanded(terms[i], tensors[i]);
            leading = Math.max(leading, (int) term.chars().filter(Einsum::isEllipsis).count());
            operands.add(labelled(term, tensors[i]));
        }
        this.result = arrow < 0 ? implied(leading) : given(text.substring(arrow + 2), leading);
    }

    static Tensor compute(String equation, Tensor[] tensors) {
        return new Einsum(equation, tensors).run();
    }

    // Reading the equation

    private String expanded(String term, Tensor tensor) {
        int dots = term.indexOf(DOTS);
        if (dots < 0) {
            check(term, tensor);
            return term;
        }
        int n = tensor.rank() - (term.length() - DOTS.length());
        if (n < 0 || n > ELLIPSIS.length()) {
            throw error(
                    "operand has the wrong rank",
                    term + " for " + tensor.spec(),
                    "at least " + (term.length() - DOTS.length()) + " dimensions");
        }
        String full = term.substring(0, dots) + leading(n) + term.substring(dots + DOTS.length());
        check(full, tensor);
        return full;
    }

    private static String leading(int n) {
        return new StringBuilder(ELLIPSIS.substring(0, n)).reverse().toString();
    }

    private static boolean isEllipsis(int label) {
        return ELLIPSIS.indexOf(label) >= 0;
    }

    private void check(String term, Tensor tensor) {
        for (char label : term.toCharArray()) {
            if (!isLetter(label) && !isEllipsis(label)) {
                throw error("not a letter", "'" + label + "'", "a to z, A to Z or ...");
            }
        }
        if (term.length() != tensor.rank()) {
            throw error(
                    "operand has the wrong rank",
                    term + " for " + tensor.spec(),
                    term.length() + " dimensions");
        }
    }

    private static boolean isLetter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }

    private Labelled labelled(String term, Tensor tensor) {
        String labels = term;
        Tensor x = tensor;
        for (int i = 0; i < labels.length(); i++) {
            note(labels.charAt(i), x.dim(i), tensor);
            for (int j = labels.length() - 1; j > i; j--) {
                if (labels.charAt(j) == labels.charAt(i)) {
                    note(labels.charAt(j), x.dim(j), tensor);
                    x = x.diagonal(i, j);
                    labels = labels.substring(0, j) + labels.substring(j + 1);
                }
            }
        }
        return new Labelled(x, labels);
    }

    private void note(char label, int extent, Tensor tensor) {
        Integer before = extents.putIfAbsent(label, extent);
        if (before == null || before == extent) {
            return;
        }
        if (isEllipsis(label) && (before == 1 || extent == 1)) {
            extents.put(label, before == 1 ? extent : before);
            return;
        }
        throw error(
                isEllipsis(label)
                        ? "leading dimensions do not broadcast"
                        : "extents of " + label + " differ",
                before + " and " + extent + " in " + tensor.spec(),
                "one extent a letter");
    }

    private String implied(int leading) {
        var counts = new TreeMap<Character, Integer>();
        for (String term : equation.replace(" ", "").split(",", -1)) {
            for (char label : term.replace(DOTS, "").toCharArray()) {
                counts.merge(label, 1, Integer::sum);
            }
        }
        var labels = new StringBuilder(leading(leading));
        counts.forEach((label, count) -> labels.append(count == 1 ? label.toString() : ""));
        return labels.toString();
    }

    private String given(String text, int leading) {
        String labels = text.replace(DOTS, leading(leading));
        for (int i = 0; i < labels.length(); i++) {
            char label = labels.charAt(i);
            if (!extents.containsKey(label)) {
                throw error("the result has a letter that no operand has", "" + label, "");
            }
            if (labels.indexOf(label) != i) {
                throw error("the result has a letter twice", "" + label, "");
            }
        }
        return labels;
    }

    private ShapeException error(String what, String got, String expected) {
        return new ShapeException("einsum \"" + equation + "\"", what, got, expected, "");
    }

    // Computing

    private Tensor run() {
        Labelled product = operands.getFirst();
        for (int i = 1; i < operands.size(); i++) {
            product = multiply(product, operands.get(i), neededAfter(i));
        }
        Labelled reduced = summed(product, result);
        return reduced.permuted(kept(result, reduced.labels())).tensor();
    }

    /// Returns all letters that the result or a later operand has.
    private String neededAfter(int i) {
        var needed = new StringBuilder(result);
        operands.subList(i + 1, operands.size()).forEach(later -> needed.append(later.labels()));
        return needed.toString();
    }

    /// Sums over every dimension that is not needed.
    private static Labelled summed(Labelled x, String needed) {
        Tensor tensor = x.tensor();
        var labels = new StringBuilder(x.labels());
        for (int i = labels.length() - 1; i >= 0; i--) {
            if (needed.indexOf(labels.charAt(i)) < 0) {
                tensor = tensor.sum(i, false);
                labels.deleteCharAt(i);
            }
        }
        return new Labelled(tensor, labels.toString());
    }

    private static String kept(String labels, String in) {
        return filtered(labels, in, true);
    }

    private static String filtered(String labels, String in, boolean contained) {
        var kept = new StringBuilder();
        for (char label : labels.toCharArray()) {
            if (in.indexOf(label) >= 0 == contained) {
                kept.append(label);
            }
        }
        return kept.toString();
    }

    private Labelled multiply(Labelled left, Labelled right, String needed) {
        Labelled a = summed(left, needed + right.labels());
        Labelled b = summed(right, needed + a.labels());
        String common = kept(a.labels(), b.labels());
        String batch = kept(common, needed);
        String inner = filtered(common, needed, false);
        String rows = filtered(a.labels(), common, false);
        String columns = filtered(b.labels(), common, false);
        Tensor x = grouped(a, batch, rows, inner);
        Tensor y = grouped(b, batch, inner, columns);
        Tensor product = inner.isEmpty() ? x.mul(y) : x.matmul(y);
        String labels = batch + rows + columns;
        return new Labelled(product.reshape(dims(labels)), labels);
    }

    /// Lays a tensor out as matrices: a batch, rows and columns, each perhaps of several
    /// dimensions.
    private Tensor grouped(Labelled x, String batch, String rows, String columns) {
        Tensor ordered = x.permuted(batch + rows + columns).tensor();
        Shape full = Shape.of(dims(batch + rows + columns));
        // What broadcasts within `...` is repeated first.
        return ordered.expand(full).reshape(size(batch), size(rows), size(columns));
    }

    private int[] dims(String labels) {
        return labels.chars().map(label -> extents.get((char) label)).toArray();
    }

    private int size(String labels) {
        return Shape.of(dims(labels)).intSize();
    }
}
