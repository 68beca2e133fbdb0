package io.github.panagrad.nn;

import io.github.panagrad.engine.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/// Draws a module and what is below it.
final class Tree {
    private Tree() {}

    static String names(Module module) {
        var names = new TreeSet<>(module.children().keySet());
        names.addAll(module.ownParameters().keySet());
        names.addAll(module.sharedParameters().keySet());
        names.addAll(module.attached().keySet());
        return names.toString();
    }

    static String draw(Module module) {
        var text = new StringBuilder(module.describe());
        text.append("  ").append(counts(module)).append('\n');
        children(module, "  ", text);
        return text.toString().stripTrailing();
    }

    private static String counts(Module module) {
        long all = module.parameterCount();
        long trained = module.trainableCount();
        String share = trained == all ? "trainable" : "%s trainable".formatted(human(trained));
        return all == 0 ? "" : human(all) + " parameters, " + share;
    }

    private static String human(long n) {
        if (n < 10_000) {
            return Long.toString(n);
        }
        return n < 10_000_000
                ? String.format(Locale.ROOT, "%.1f k", n / 1e3)
                : String.format(Locale.ROOT, "%.1f M", n / 1e6);
    }

    /// A child as it will be drawn, and under which names.
    private record Drawn(List<String> names, String head, String below) {}

    private static void children(Module module, String indent, StringBuilder text) {
        var rows = new ArrayList<Drawn>();
        module.children().forEach((name, child) -> add(rows, name, child, "", indent));
        module.attached().forEach((name, child) -> add(rows, name, child, "+ ", indent));
        for (Drawn row : rows) {
            String first = row.names.getFirst();
            String name = row.names.size() == 1 ? first : first + " … " + row.names.getLast();
            text.append(indent).append(name).append("  ").append(row.head).append('\n');
            text.append(row.below);
        }
    }

    private static void add(
            List<Drawn> rows, String name, Module child, String mark, String indent) {
        var below = new StringBuilder();
        children(child, indent + "  ", below);
        String head = child.describe() + state(child.ownParameters());
        Drawn last = rows.isEmpty() ? null : rows.getLast();
        if (last != null
                && isNumber(name)
                && isNumber(last.names.getLast())
                && last.head.equals(head)
                && last.below.contentEquals(below)) {
            last.names.add(name);
        } else {
            rows.add(new Drawn(new ArrayList<>(List.of(mark + name)), head, below.toString()));
        }
    }

    private static boolean isNumber(String name) {
        return name.chars().allMatch(Character::isDigit);
    }

    private static String state(Map<String, Parameter> parameters) {
        if (parameters.isEmpty()) {
            return "";
        }
        var dtypes = new TreeSet<String>();
        long trained = 0;
        for (Parameter p : parameters.values()) {
            dtypes.add(p.dtype().label());
            trained += p.isTrainable() ? 1 : 0;
        }
        return " "
                + String.join("/", dtypes)
                + (trained == parameters.size() ? "" : trained == 0 ? " frozen" : " partly frozen");
    }
}
